"""`likeness keys`: who may call a server, also while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from likeness.access import AccessKey, BrokenKey, Grant, IssuedSecret
from likeness.app.access import Rows
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.service.govern.keys import KeyOffice
from likeness.terms import UNDECLARED, Role

keys = typer.Typer(help="Access keys: who may call a server, as what, and for which purposes.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]


@keys.command()
def create(
    name: _Name,
    organisation: Annotated[
        str, typer.Option(metavar="O", help="Whose it is, as rules name them.")
    ] = UNDECLARED,
    sector: Annotated[
        str, typer.Option(metavar="S", help="What they are, such as law-enforcement.")
    ] = UNDECLARED,
    jurisdiction: Annotated[
        str, typer.Option(metavar="J", help="Whose law binds them, such as US-WA.")
    ] = UNDECLARED,
    purpose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="P",
            help="What they may use it for, such as missing-persons; several times for several,"
            " the first where a request says none.",
        ),
    ] = None,
    role: Annotated[Role, typer.Option(help="What they may be trusted with at all.")] = Role.CLIENT,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show its secret this once."""
    grant = Grant(role, organisation, sector, jurisdiction, tuple(purpose or ()))
    with _office() as office:
        issued = office.create(name, grant)
    if sector == UNDECLARED:
        warn(f"{name} has no --sector: rules hold its uses to be of an undeclared one")
    _show(issued, as_json)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys; no secret is shown."""
    with _office() as office:
        every = office.every()
    if as_json:
        print_json({"keys": [_key_json(one) for one in every]})
        return
    for key in every:
        for line in _in_words(key):
            print(plain(line))
    if not every:
        print("There is no access key yet: `likeness keys create NAME` makes one.")


@keys.command()
def disable(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", help="Also the last admin's.")] = False,
    as_json: AsJson = False,
) -> None:
    """Refuse a key's requests from now on; running servers do so within a second."""
    with _office() as office:
        key = office.disable(name, last_admin_too=yes)
    _say(key, f"{name} is disabled: `likeness keys enable` lets it in again.", as_json)


@keys.command()
def enable(name: _Name, as_json: AsJson = False) -> None:
    """Let a disabled key in again."""
    with _office() as office:
        key = office.enable(name)
    _say(key, f"{name} is enabled.", as_json)


@keys.command()
def rotate(
    name: _Name,
    grace: Annotated[
        int, typer.Option(metavar="HOURS", min=0, help="How long older secrets stay valid.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Give a key a new id and secret, and show them this once; older ones end."""
    with _office() as office:
        issued = office.rotate(name, grace)
    _show(issued, as_json)


@contextmanager
def _office() -> Iterator[KeyOffice]:
    with Rows(installation()) as rows:
        yield KeyOffice(rows.database, rows.keyring, rows.desk, rows.somebody)


def _show(issued: IssuedSecret, as_json: bool) -> None:
    if as_json:
        secret = {"access_key_id": issued.access_key_id, "secret_access_key": issued.secret}
        print_json({**secret, **_key_json(issued.key)})
        return
    print(f"access key id      {issued.access_key_id}")
    print(f"secret access key  {issued.secret}")
    print("The secret is shown this once; `likeness keys rotate` makes another.")


def _say(key: AccessKey | BrokenKey, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(_key_json(key))
    else:
        print(plain(sentence))


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
        "disabled_at": key.disabled_at.isoformat() if key.disabled_at else None,
        "ids": [
            {
                "access_key_id": one.access_key_id,
                "ends_at": one.ends_at.isoformat() if one.ends_at else None,
            }
            for one in key.secret_ids
        ],
    }


def _in_words(key: AccessKey | BrokenKey) -> list[str]:
    disabled = f", disabled since {_minute(key.disabled_at)}" if key.disabled_at else ""
    if isinstance(key, BrokenKey):
        kind = "broken"
        facts = "its row says what no key can: restore it from a backup, or disable it"
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
        *(
            f"  {one.access_key_id}{f' until {_minute(one.ends_at)}' if one.ends_at else ''}"
            for one in key.secret_ids
        ),
    ]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
