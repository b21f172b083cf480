"""`likeness policy simulate`: what other rules would have said of what the ledger has."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated

import typer

from likeness.cli.policy.office import office
from likeness.cli.policy.pack_file import named_pack
from likeness.cli.policy.packs import chosen_pairs
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.policy import PolicyEngine, enabled
from likeness.service.govern.policy_office import RulesNow
from likeness.service.govern.simulate_policy import Difference
from likeness.terms import Duty

_Packs = list[str] | None

_LISTED = 20


def simulate(
    enable: Annotated[_Packs, typer.Option(metavar="PACK", help="As if it were enabled.")] = None,
    disable: Annotated[_Packs, typer.Option(metavar="PACK", help="As if it were not.")] = None,
    choice: Annotated[
        _Packs,
        typer.Option(metavar="PACK.NAME=VALUE", help="As if it were chosen of an enabled pack."),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help=f"List every use, not the first {_LISTED} alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask changed rules about every use in the ledger, and show what would differ.

    Each is asked about as it was admitted, before there were scores; nothing is changed.
    """
    with office() as open_office:
        chosen = chosen_pairs(choice or [])
        engine = _changed(open_office.now(), enable or [], disable or [], chosen)
        simulation = open_office.simulate(engine)
    if as_json:
        each = [_difference_json(one) for one in simulation.differences]
        print_json({"uses": simulation.uses, "differences": each})
        return
    differences = simulation.differences
    print(f"{len(differences):,} of {several(simulation.uses, 'use')} would differ.")
    for change, count in Counter(map(_change, differences)).most_common():
        print(plain(f"  {count:,}  {change}"))
    for one in differences if all_ else differences[:_LISTED]:
        recorded = one.recorded
        what = f"{recorded.index}  {recorded.at:%Y-%m-%d %H:%M}  {recorded.use.operation}"
        print(plain(f"{what}: {_change(one)}"))
    if len(differences) > _LISTED and not all_:
        print(f"{len(differences) - _LISTED:,} more: --all lists them.")


def _changed(
    rules: RulesNow, enable: Iterable[str], disable: Collection[str], chosen: Mapping[str, str]
) -> PolicyEngine:
    packs = [one.chosen for one in rules.packs]
    for name in disable:
        if name not in {one.pack.name for one in packs}:
            raise InvalidRequest(f"an enabled pack was expected to disable, {name!r} is none")
    packs = [one for one in packs if one.pack.name not in disable]
    for name in enable:
        packs = enabled.choosing(packs, named_pack(name), {})
    for pair, value in chosen.items():
        name, _, choice = pair.partition(".")
        pack = next((one.pack for one in packs if one.pack.name == name), None)
        if pack is None:
            raise InvalidRequest(
                f"--choice PACK.NAME=VALUE of an enabled pack was expected and {pair!r} came:"
                " correct it, or give --enable too"
            )
        packs = enabled.choosing(packs, pack, {choice: value})
    return PolicyEngine([*enabled.always(), *packs])


def _change(difference: Difference) -> str:
    recorded, decision = difference.recorded, difference.decision
    before = _in_words(recorded.refused_by, recorded.owed)
    after = _in_words({rule.id for rule in decision.refused_by}, _owed(difference))
    return f"{before}; would be {after}"


def _difference_json(difference: Difference) -> Json:
    recorded, decision = difference.recorded, difference.decision
    return {
        "index": recorded.index,
        "at": recorded.at.isoformat(),
        "use": str(recorded.use.id),
        "principal": recorded.use.principal.id,
        "action": recorded.use.action.value,
        "operation": recorded.use.operation,
        "purpose": recorded.use.purpose,
        "before": {
            "allowed": recorded.allowed,
            "refused_by": sorted(recorded.refused_by),
            "owed": _owed_json(recorded.owed),
        },
        "after": {
            "allowed": decision.allowed,
            "refused_by": sorted(rule.id for rule in decision.refused_by),
            "owed": _owed_json(_owed(difference)),
        },
    }


def _owed(difference: Difference) -> set[tuple[Duty, float]]:
    return {(one.duty, one.amount) for one in difference.decision.obligations}


def _owed_json(owed: Iterable[tuple[Duty, float]]) -> list[Json]:
    return [{"duty": duty.value, "amount": amount} for duty, amount in sorted(owed)]


def _in_words(refused_by: Collection[str], owed: Collection[tuple[Duty, float]]) -> str:
    if refused_by:
        return f"refused by {', '.join(sorted(refused_by))}"
    if owed:
        return f"allowed, owing {', '.join(f'{duty} {amount:g}' for duty, amount in sorted(owed))}"
    return "allowed"
