"""`likeness policy list|show|enable|disable|check|suspend|resume`: packs, and the stop switch."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.home import enabled_here, open_rows
from likeness.cli.acts import rows_for
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.input_file import read_text
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import folded, minute, several
from likeness.errors import InvalidRequest, NotFound
from likeness.policy import (
    ChosenPack,
    EnabledPack,
    Pack,
    PackRule,
    Scope,
    Suspension,
    as_enabled,
    nearest,
    read_pack,
    shipped,
)
from likeness.service.govern import policy as acts
from likeness.service.govern.policy import RulesNow
from likeness.service.uses import Rows

_NO_ADVICE = "No pack is legal advice."

_Pack = Annotated[
    str, typer.Argument(metavar="PACK", help="Name of a pack, or path of one of yours.")
]
_All = Annotated[bool, typer.Option("--all", help="Everything.")]
_Organisation = Annotated[
    str | None, typer.Option(metavar="O", help="Organisation, as its keys name it.")
]
_Purpose = Annotated[
    str | None, typer.Option(metavar="P", help="Purpose, with all that are part of it.")
]
_Collection = Annotated[
    str | None, typer.Option(metavar="C", help="Collection, by its name or id.")
]


def list_packs(as_json: AsJson = False) -> None:
    """List the packs, what was chosen of them, and what is suspended."""
    with open_rows(installation_here()) as rows:
        rules = acts.rules_now(rows)
    chosen = {one.name: one for one in rules.packs}
    own = [one.chosen.pack for one in rules.packs if one.name not in shipped()]
    packs = [*shipped().values(), *own]
    document = {
        "packs": [_pack_json(pack, chosen.get(pack.name)) for pack in packs],
        "suspensions": [_suspension_json(one) for one in rules.suspensions],
        "rules_digest": rules.engine.digest,
    }
    print_answer(as_json, document, _list_in_words(packs, chosen, rules))


def _list_in_words(
    packs: list[Pack], chosen: dict[str, EnabledPack], rules: RulesNow
) -> Iterable[str]:
    in_force = [pack for pack in packs if pack.facts.always or pack.name in chosen]
    yield "In force:"
    for pack in in_force:
        yield from _pack_in_words(pack, chosen.get(pack.name))
    yield "Not enabled:"
    for pack in packs:
        if pack not in in_force:
            yield from _pack_in_words(pack, None)
    for suspension in rules.suspensions:
        yield from _suspension_in_words(suspension)
    yield f"{_NO_ADVICE} Rules {rules.engine.digest[:16]}."


def show(name: _Pack, as_json: AsJson = False) -> None:
    """Show a pack: how it reads what it is of, what it leaves to choose, and its rules."""
    with open_rows(installation_here()) as rows:
        chosen = {one.name: one for one in acts.rules_now(rows).packs}
    pack = chosen[name].chosen.pack if name in chosen else named_pack(name)
    facts, enabled_pack = pack.facts, chosen.get(pack.name)
    made = _chosen(pack, enabled_pack)
    document = {
        **_pack_json(pack, enabled_pack),
        "reading": facts.reading,
        "rules": [_rule_json(rule, made) for rule in pack.rules],
        "cedar": pack.rules_text,
    }
    lines = [
        *_pack_in_words(pack, enabled_pack),
        "",
        *folded(facts.reading).splitlines(),
        "",
        f"Source: {facts.source}. Version {facts.version}. {_NO_ADVICE}",
        *(
            f"--choice {choice.name}=... ({choice.kind}): {choice.says}"
            + (f" One of {', '.join(choice.options)}." if choice.options else "")
            for choice in facts.choices.values()
        ),
        "",
        *pack.rules_text.rstrip().splitlines(),
    ]
    print_answer(as_json, document, lines)


def enable(
    name: _Pack,
    choice: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Value of a choice that `show` lists. May be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enable a pack, or choose anew of one that is; running servers follow within a second."""
    pack = named_pack(name)
    with rows_for("EnablePack", makes_home=True) as (rows, caller):
        made = acts.enable_pack(rows, caller, pack, chosen_pairs(choice or []))
    first, *others = _pack_in_words(pack, made)
    lines = [f"In force from now on: {first}", *others]
    print_answer(as_json, _pack_json(pack, made), lines)


def disable(
    name: Annotated[str, typer.Argument(metavar="PACK", help="Name of the pack.")],
    as_json: AsJson = False,
) -> None:
    """Disable a pack; what was chosen of it is forgotten."""
    with rows_for("DisablePack", makes_home=True) as (rows, caller):
        acts.disable_pack(rows, caller, name)
    document = {"pack": name, "in_force": False}
    print_answer(as_json, document, [f"{name} is not in force any more."])


def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="NAME.toml or NAME.cedar of the pack; both lie side by side."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Check a pack of yours as if it were enabled in this home; nothing is changed.

    Where there is no home yet, it is checked beside all packs that are shipped.
    """
    pack = _pack_in(file)
    made = as_enabled(enabled_here(installation_here()), pack, {})
    document = {"pack": pack.name, "rules": [_rule_json(rule, made) for rule in pack.rules]}
    said = f"{pack.name}: {several(len(pack.rules), 'rule')}, all as they must be."
    print_answer(as_json, document, [said])


def suspend(
    reason: Annotated[str, typer.Option(metavar="R", help="Reason, in one line.")],
    all_: _All = False,
    organisation: _Organisation = None,
    purpose: _Purpose = None,
    collection: _Collection = None,
    as_json: AsJson = False,
) -> None:
    """Stop everything or a part of it, on running servers within a second."""
    with rows_for("Suspend", makes_home=True) as (rows, caller):
        scope, subject = _part_of_all(rows, all_, organisation, purpose, collection)
        made = acts.suspend(rows, caller, scope, subject, reason)
        if made.scope is Scope.ORGANISATION:
            _warn_of_nobody(made, acts.organisations(rows))
    print_answer(as_json, _suspension_json(made), _suspension_in_words(made))


def resume(
    all_: _All = False,
    organisation: _Organisation = None,
    purpose: _Purpose = None,
    collection: _Collection = None,
    as_json: AsJson = False,
) -> None:
    """Let go on what was suspended, with the same option; other suspensions stay."""
    with rows_for("Resume", makes_home=True) as (rows, caller):
        scope, subject = _part_of_all(rows, all_, organisation, purpose, collection)
        acts.resume(rows, caller, scope, subject)
    document = {"scope": scope.value, "subject": subject, "suspended": False}
    print_answer(as_json, document, [f"{f'{scope} {subject}'.strip()} goes on."])


def named_pack(name_or_file: str) -> Pack:
    """Find a shipped pack, or read one from its two files.

    Raises:
        NotFound: it is neither.
        InvalidRequest: a file is not as it must be.
    """
    if name_or_file in shipped():
        return shipped()[name_or_file]
    if Path(name_or_file).suffix in (".toml", ".cedar"):
        return _pack_in(Path(name_or_file))
    raise NotFound(
        f"No such pack {name_or_file!r}, nor file NAME.toml beside NAME.cedar. `likeness policy"
        " list` shows the packs."
    )


def chosen_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Read what came as NAME=VALUE.

    Raises:
        InvalidRequest: one is none, or came twice.
    """
    chosen: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in chosen:
            raise InvalidRequest(
                f"--choice {pair!r} cannot be read. Write --choice NAME=VALUE, each name once."
            )
        chosen[name] = value
    return chosen


def _pack_in(path: Path) -> Pack:
    """Read a pack; `path` is either of its two files."""
    remedy = "A pack is its facts in NAME.toml and its rules in NAME.cedar beside it."
    facts, rules = (read_text(path.with_suffix(suffix), remedy) for suffix in (".toml", ".cedar"))
    return read_pack(path.stem, facts, rules)


def _chosen(pack: Pack, enabled_pack: EnabledPack | None) -> ChosenPack:
    return enabled_pack.chosen if enabled_pack else ChosenPack.of(pack, {})


def _pack_json(pack: Pack, enabled_pack: EnabledPack | None) -> Json:
    facts, made = pack.facts, _chosen(pack, enabled_pack)
    first, end = made.days(facts.effective, facts.expires, facts.where)
    return {
        "pack": pack.name,
        "title": facts.title,
        "jurisdiction": facts.jurisdiction,
        "status": facts.status.value,
        "effective": first.isoformat(),
        "expires": end and end.isoformat(),
        "source": facts.source,
        "version": facts.version,
        "in_force": facts.always or enabled_pack is not None,
        "always": facts.always,
        "choices": [
            {
                "name": one.name,
                "chosen": made.choices[one.name],
                "kind": one.kind.value,
                "says": one.says,
                "options": list(one.options),
                "default": one.default,
            }
            for one in facts.choices.values()
        ],
        "changed_at": enabled_pack and enabled_pack.at.isoformat(),
        "changed_by": enabled_pack and enabled_pack.by,
    }


def _rule_json(rule: PackRule, made: ChosenPack) -> Json:
    first, end = made.days_of(rule)
    does = "withholds" if rule.duty else "refuses" if rule.parsed.forbids else "permits"
    return {
        "rule": rule.rule.id,
        "does": does,
        "source": rule.rule.source,
        "jurisdiction": rule.jurisdiction,
        "status": rule.status.value,
        "effective": first.isoformat(),
        "expires": end and end.isoformat(),
        "duty": rule.duty and rule.duty.value,
        "amount": rule.amount if rule.duty else None,
    }


def _pack_in_words(pack: Pack, enabled_pack: EnabledPack | None) -> list[str]:
    facts, made = pack.facts, _chosen(pack, enabled_pack)
    first, end = made.days(facts.effective, facts.expires, facts.where)
    until = f" until {end}" if end else ""
    return [
        f"{pack.name}: {facts.title}",
        f"    {facts.status}, {facts.jurisdiction}, from {first}{until}",
        *(f"    {name}: {value or 'nothing'}" for name, value in made.choices.items()),
    ]


def _suspension_json(suspension: Suspension) -> Json:
    return {
        "scope": suspension.scope.value,
        "subject": suspension.subject,
        "suspended": True,
        "reason": suspension.reason,
        "since": suspension.since.isoformat(),
        "by": suspension.by,
    }


def _suspension_in_words(suspension: Suspension) -> list[str]:
    """Say what is suspended, and the command that lifts it."""
    what = f"{suspension.scope} {suspension.subject}".strip()
    return [
        f"Suspended: {what}, since {minute(suspension.since)} by {suspension.by}:"
        f" {suspension.reason}",
        f"    until {_lifting(suspension)}",
    ]


def _lifting(suspension: Suspension) -> str:
    option = [f"--{suspension.scope}", *([suspension.subject] if suspension.subject else [])]
    return shlex.join(["likeness", "policy", "resume", *option])


def _warn_of_nobody(suspension: Suspension, organisations: list[str]) -> None:
    """Tell whoever stopped an organisation that nobody declares: its name may be misspelt."""
    if not any(map(suspension.names, organisations)):
        warn(
            "nobody is stopped yet: no enabled key, nor LIKENESS_ORGANISATION here, says"
            f" {suspension.subject!r}{nearest(suspension.subject, organisations)}: if it is"
            f" misspelt, `{_lifting(suspension)}` and suspend the right one"
        )


def _part_of_all(
    rows: Rows,
    all_: bool,
    organisation: str | None,
    purpose: str | None,
    collection: str | None,
) -> tuple[Scope, str]:
    """Say what one of the options means."""
    options = {
        Scope.ALL: "" if all_ else None,
        Scope.ORGANISATION: organisation,
        Scope.PURPOSE: purpose,
        Scope.COLLECTION: collection,
    }
    said = [(scope, subject) for scope, subject in options.items() if subject is not None]
    if len(said) != 1:
        raise InvalidRequest(
            f"Not one option but {len(said)} of --all, --organisation, --purpose and --collection"
            " were given. Give one."
        )
    scope, subject = said[0]
    if scope is Scope.COLLECTION:
        subject = str(acts.collection_id(rows, subject))
    return scope, subject
