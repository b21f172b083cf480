"""`likeness policy suspend|resume`: the stop switch."""

import shlex
from typing import Annotated

import typer

from likeness.cli.policy.office import office
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.errors import InvalidRequest
from likeness.policy import Scope, Suspension, nearest
from likeness.service.govern.policy_office import PolicyOffice

_All = Annotated[bool, typer.Option("--all", help="Everything.")]
_Organisation = Annotated[
    str | None, typer.Option(metavar="O", help="An organisation, as its keys name it.")
]
_Purpose = Annotated[
    str | None, typer.Option(metavar="P", help="A purpose, and all that are part of it.")
]
_Collection = Annotated[str | None, typer.Option(metavar="C", help="A collection, by name or id.")]


def suspend(
    reason: Annotated[str, typer.Option(metavar="R", help="Why, in one line.")],
    all_: _All = False,
    organisation: _Organisation = None,
    purpose: _Purpose = None,
    collection: _Collection = None,
    as_json: AsJson = False,
) -> None:
    """Stop everything or a part of it, on running servers within a second."""
    with office() as open_office:
        scope, subject = _what(open_office, all_, organisation, purpose, collection)
        made = open_office.suspend(scope, subject, reason)
        _warn_of_nobody(made, open_office.organisations())
    if as_json:
        print_json(suspension_json(made))
    else:
        for line in suspension_in_words(made):
            print(plain(line))


def resume(
    all_: _All = False,
    organisation: _Organisation = None,
    purpose: _Purpose = None,
    collection: _Collection = None,
    as_json: AsJson = False,
) -> None:
    """Let go on what was suspended, with the same option; other suspensions stay."""
    with office() as open_office:
        scope, subject = _what(open_office, all_, organisation, purpose, collection)
        open_office.resume(scope, subject)
    if as_json:
        print_json({"scope": scope.value, "subject": subject, "suspended": False})
    else:
        print(plain(f"{f'{scope} {subject}'.strip()} goes on."))


def suspension_json(suspension: Suspension) -> Json:
    """A suspension, for programs."""
    return {
        "scope": suspension.scope.value,
        "subject": suspension.subject,
        "suspended": True,
        "reason": suspension.reason,
        "since": suspension.since.isoformat(),
        "by": suspension.by,
    }


def suspension_in_words(suspension: Suspension) -> list[str]:
    """A suspension, for people, and the command that lifts it."""
    what = f"{suspension.scope} {suspension.subject}".strip()
    return [
        f"Suspended: {what}, since {suspension.since:%Y-%m-%d %H:%M} UTC by {suspension.by}:"
        f" {suspension.reason}",
        f"    until {_lifting(suspension)}",
    ]


def _lifting(suspension: Suspension) -> str:
    option = [f"--{suspension.scope}", *([suspension.subject] if suspension.subject else [])]
    return shlex.join(["likeness", "policy", "resume", *option])


def _warn_of_nobody(suspension: Suspension, organisations: list[str]) -> None:
    """Tell whoever stopped an organisation that nobody declares: its name may be misspelt."""
    if suspension.scope is not Scope.ORGANISATION or any(map(suspension.names, organisations)):
        return
    warn(
        f"nobody is stopped yet: no enabled key, nor LIKENESS_ORGANISATION here, says"
        f" {suspension.subject!r}{nearest(suspension.subject, organisations)}: if it is misspelt,"
        f" `{_lifting(suspension)}` and suspend the right one"
    )


def _what(
    open_office: PolicyOffice,
    all_: bool,
    organisation: str | None,
    purpose: str | None,
    collection: str | None,
) -> tuple[Scope, str]:
    said = [
        *([(Scope.ALL, "")] if all_ else []),
        *([(Scope.ORGANISATION, organisation)] if organisation is not None else []),
        *([(Scope.PURPOSE, purpose)] if purpose is not None else []),
        *([(Scope.COLLECTION, collection)] if collection is not None else []),
    ]
    if len(said) != 1:
        raise InvalidRequest(
            "one of --all, --organisation, --purpose and --collection was expected and"
            f" {len(said)} came: say what"
        )
    scope, subject = said[0]
    if scope is Scope.COLLECTION:
        subject = str(open_office.collection_id(subject))
    return scope, subject
