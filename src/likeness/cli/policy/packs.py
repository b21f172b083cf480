"""`likeness policy list|show|enable|disable|check`: packs of rules."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.access import enabled_here
from likeness.cli.opened import installation
from likeness.cli.policy.office import NO_ADVICE, office
from likeness.cli.policy.pack_file import named_pack, pack_in
from likeness.cli.policy.stop import suspension_in_words, suspension_json
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded, several
from likeness.errors import InvalidRequest
from likeness.policy import ChosenPack, EnabledPack, Pack, PackRule, enabled, shipped
from likeness.service.govern.policy_office import RulesNow

_Pack = Annotated[str, typer.Argument(metavar="PACK", help="A pack's name, or a file of yours.")]


def list_packs(as_json: AsJson = False) -> None:
    """List the packs, what was chosen of them, and what is suspended."""
    with office() as open_office:
        rules = open_office.now()
    chosen = {one.name: one for one in rules.packs}
    own = [one.chosen.pack for one in rules.packs if one.name not in shipped()]
    packs = [*shipped().values(), *own]
    if as_json:
        print_json(
            {
                "packs": [_pack_json(pack, chosen.get(pack.name)) for pack in packs],
                "suspensions": [suspension_json(one) for one in rules.suspensions],
                "rules_digest": rules.engine.digest,
            }
        )
        return
    _list_in_words(packs, chosen, rules)


def _list_in_words(packs: list[Pack], chosen: dict[str, EnabledPack], rules: RulesNow) -> None:
    in_force = [pack for pack in packs if pack.facts.always or pack.name in chosen]
    print("In force:")
    for pack in in_force:
        _print(_pack_in_words(pack, chosen.get(pack.name)))
    print("Not enabled:")
    for pack in packs:
        if pack not in in_force:
            _print(_pack_in_words(pack, None))
    for suspension in rules.suspensions:
        _print(suspension_in_words(suspension))
    print(f"{NO_ADVICE} Rules {rules.engine.digest[:16]}.")


def show(name: _Pack, as_json: AsJson = False) -> None:
    """Show a pack: how it reads what it is of, what it leaves to choose, and its rules."""
    with office() as open_office:
        chosen = {one.name: one for one in open_office.now().packs}
    pack = chosen[name].chosen.pack if name in chosen else named_pack(name)
    enabled = chosen.get(pack.name)
    if as_json:
        document = _pack_json(pack, enabled)
        document["reading"] = pack.facts.reading
        made = enabled.chosen if enabled else ChosenPack.of(pack, {})
        document["rules"] = [_rule_json(rule, made) for rule in pack.rules]
        document["cedar"] = pack.rules_text
        print_json(document)
        return
    _print([*_pack_in_words(pack, enabled), "", folded(pack.facts.reading), ""])
    _print([f"Source: {pack.facts.source}. Version {pack.facts.version}. {NO_ADVICE}"])
    for choice in pack.facts.choices.values():
        options = f" One of {', '.join(choice.options)}." if choice.options else ""
        _print([f"--choice {choice.name}=... ({choice.kind}): {choice.says}{options}"])
    for line in ["", *pack.rules_text.rstrip().splitlines()]:
        print(plain(line))


def enable(
    name: _Pack,
    choice: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What to choose; `show` lists what there is."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enable a pack, or choose anew of one that is; running servers follow within a second."""
    pack = named_pack(name)
    with office() as open_office:
        enabled = open_office.enable(pack, chosen_pairs(choice or []))
    if as_json:
        print_json(_pack_json(pack, enabled))
        return
    _print([f"In force from now on: {line}" for line in _pack_in_words(pack, enabled)[:1]])
    _print(_pack_in_words(pack, enabled)[1:])


def disable(
    name: Annotated[str, typer.Argument(metavar="PACK", help="A pack's name.")],
    as_json: AsJson = False,
) -> None:
    """Disable a pack; what was chosen of it is forgotten."""
    with office() as open_office:
        open_office.disable(name)
    if as_json:
        print_json({"pack": name, "in_force": False})
    else:
        _print([f"{name} is not in force any more."])


def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="NAME.toml or NAME.cedar, each beside the other.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check a pack of yours as if it were enabled in this home; nothing is changed.

    Where there is no home yet, it is checked beside all packs that are shipped.
    """
    pack = pack_in(file)
    made = enabled.as_enabled(enabled_here(installation()), pack, {})
    if as_json:
        print_json({"pack": pack.name, "rules": [_rule_json(rule, made) for rule in pack.rules]})
        return
    _print([f"{pack.name}: {several(len(pack.rules), 'rule')}, all as they must be."])


def chosen_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Read what came as NAME=VALUE.

    Raises:
        InvalidRequest: one is none, or came twice.
    """
    chosen = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in chosen:
            raise InvalidRequest(
                f"--choice NAME=VALUE, each name once, was expected and {pair!r} came: correct it"
            )
        chosen[name] = value
    return chosen


def _pack_json(pack: Pack, enabled: EnabledPack | None) -> Json:
    made = enabled.chosen if enabled else ChosenPack.of(pack, {})
    first, end = made.days(pack.facts.effective, pack.facts.expires, pack.facts.where)
    return {
        "pack": pack.name,
        "title": pack.facts.title,
        "jurisdiction": pack.facts.jurisdiction,
        "status": pack.facts.status.value,
        "effective": first.isoformat(),
        "expires": end.isoformat() if end else None,
        "source": pack.facts.source,
        "version": pack.facts.version,
        "in_force": pack.facts.always or enabled is not None,
        "always": pack.facts.always,
        "choices": [
            {
                "name": one.name,
                "chosen": made.choices[one.name],
                "kind": one.kind.value,
                "says": one.says,
                "options": list(one.options),
                "default": one.default,
            }
            for one in pack.facts.choices.values()
        ],
        "changed_at": enabled.at.isoformat() if enabled else None,
        "changed_by": enabled.by if enabled else None,
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
        "expires": end.isoformat() if end else None,
        "duty": rule.duty.value if rule.duty else None,
        "amount": rule.amount if rule.duty else None,
    }


def _pack_in_words(pack: Pack, enabled: EnabledPack | None) -> list[str]:
    made = enabled.chosen if enabled else ChosenPack.of(pack, {})
    first, end = made.days(pack.facts.effective, pack.facts.expires, pack.facts.where)
    until = f" until {end}" if end else ""
    lines = [
        f"{pack.name}: {pack.facts.title}",
        f"    {pack.facts.status}, {pack.facts.jurisdiction}, from {first}{until}",
    ]
    for name, value in made.choices.items():
        lines.append(f"    {name}: {value or 'nothing'}")
    return lines


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        for part in line.split("\n"):
            print(plain(part))
