"""`likeness keys`: who may call a server, also while it runs."""

from typing import Annotated

import typer

from likeness.access import AccessKey, BrokenKey, Grant, IssuedSecret
from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.prompts import new_password
from likeness.cli.terminal.words import minute
from likeness.service.govern import keys as acts
from likeness.service.govern import passwords
from likeness.terms import UNDECLARED, Role

keys = typer.Typer(
    help="Manage access keys: who may call the server, in which role, for which purposes.",
    add_completion=False,
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the key.")]


@keys.command()
def create(
    name: _Name,
    organisation: Annotated[
        str, typer.Option(metavar="O", help="Organisation of the key's holder, as rules name it.")
    ] = UNDECLARED,
    sector: Annotated[
        str, typer.Option(metavar="S", help="Sector of the organisation, such as law-enforcement.")
    ] = UNDECLARED,
    jurisdiction: Annotated[
        str, typer.Option(metavar="J", help="Jurisdiction whose law binds it, such as US-WA.")
    ] = UNDECLARED,
    purpose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="P",
            help="Purpose that the key may be used for, such as missing-persons. Repeat it for"
            " several; the first applies where a request names none.",
        ),
    ] = None,
    role: Annotated[Role, typer.Option(help="Role, which limits what the key may do.")] = (
        Role.CLIENT
    ),
    as_json: AsJson = False,
) -> None:
    """Make a key, and show its secret this once."""
    grant = Grant(role, organisation, sector, jurisdiction, tuple(purpose or ()))
    with rows_for("CreateAccessKey", makes_home=True) as (rows, caller):
        issued = acts.create_key(rows, caller, name, grant)
    if sector == UNDECLARED:
        warn(f"{name} has no --sector. Rules take its uses to be of an undeclared one.")
    _show(issued, as_json)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys; no secret is shown."""
    with rows_for("ListAccessKeys") as (rows, _):
        every = acts.list_keys(rows)
    lines = [line for one in every for line in _in_words(one)]
    none = ["There is no access key yet. `likeness keys create NAME` makes one."]
    print_answer(as_json, {"keys": [_key_json(one) for one in every]}, lines or none)


@keys.command()
def disable(
    name: _Name,
    yes: Annotated[
        bool, typer.Option("--yes", help="Disable the key even if it is the last admin's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Refuse a key's requests from now on; running servers do so within a second."""
    with rows_for("DisableAccessKey") as (rows, caller):
        key = acts.disable_key(rows, caller, name, last_admin_too=yes)
    said = f"{name} is disabled. `likeness keys enable` lets it in again."
    print_answer(as_json, _key_json(key), [said])


@keys.command()
def enable(name: _Name, as_json: AsJson = False) -> None:
    """Let a disabled key in again."""
    with rows_for("EnableAccessKey") as (rows, caller):
        key = acts.enable_key(rows, caller, name)
    print_answer(as_json, _key_json(key), [f"{name} is enabled."])


@keys.command()
def rotate(
    name: _Name,
    grace: Annotated[
        int, typer.Option(metavar="HOURS", min=0, help="Hours that older secrets stay valid.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Give a key a new id and secret, and show them this once; older ones end."""
    with rows_for("RotateAccessKey") as (rows, caller):
        issued = acts.rotate_key(rows, caller, name, grace)
    _show(issued, as_json)


@keys.command()
def password(
    name: _Name,
    remove: Annotated[
        bool, typer.Option("--remove", help="Let the key's holder sign in with its secret alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set the password that a key's holder signs in to the console with; their sessions end.

    It is asked for twice at a terminal, and read from standard input without one.
    """
    if remove:
        with rows_for("RemovePassword") as (rows, caller):
            key = passwords.remove_password(rows, caller, name)
        said = f"{name} signs in with the access key alone."
    else:
        chosen = new_password()
        with rows_for("SetPassword") as (rows, caller):
            key = passwords.set_password(rows, caller, name, chosen)
        said = f"{name} signs in with the new password. One-time codes are off."
    print_answer(as_json, {**_key_json(key), "has_password": not remove}, [said])


def _show(issued: IssuedSecret, as_json: bool) -> None:
    secret = {"access_key_id": issued.access_key_id, "secret_access_key": issued.secret}
    lines = [
        f"access key id      {issued.access_key_id}",
        f"secret access key  {issued.secret}",
        "The secret is shown this once. `likeness keys rotate` makes another.",
    ]
    print_answer(as_json, {**secret, **_key_json(issued.key)}, lines)


def _key_json(key: AccessKey | BrokenKey) -> Json:
    grant = None if isinstance(key, BrokenKey) else key.grant
    return {
        "name": key.name,
        "id": str(key.id),
        "broken": grant is None,
        "role": grant and grant.role.value,
        "organisation": grant and grant.organisation,
        "sector": grant and grant.sector,
        "jurisdiction": grant and grant.jurisdiction,
        "purposes": grant and list(grant.purposes),
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "disabled_at": key.disabled_at and key.disabled_at.isoformat(),
        "ids": [
            {"access_key_id": one.access_key_id, "ends_at": one.ends_at and one.ends_at.isoformat()}
            for one in key.secret_ids
        ],
    }


def _in_words(key: AccessKey | BrokenKey) -> list[str]:
    disabled = f", disabled since {minute(key.disabled_at)}" if key.disabled_at else ""
    if isinstance(key, BrokenKey):
        kind = "broken"
        facts = "its row says what no key can. Restore it from a backup, or disable it."
    else:
        grant, purposes = key.grant, ", ".join(key.grant.purposes)
        kind = grant.role.value
        facts = (
            f"organisation {grant.organisation}, sector {grant.sector}, jurisdiction"
            f" {grant.jurisdiction}, purpose {purposes or UNDECLARED}"
        )
    return [
        f"{key.name} ({kind}){disabled}",
        f"  {facts}",
        f"  in log and ledger: key:{key.id}",
        *(
            f"  {one.access_key_id}{f' until {minute(one.ends_at)}' if one.ends_at else ''}"
            for one in key.secret_ids
        ),
    ]
