"""`likeness policy explain|simulate`: what rules say of a use, and would have said of past ones."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer

from likeness.app.home import open_rows
from likeness.cli.installation import installation_here
from likeness.cli.policy.rules import chosen_pairs, named_pack
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.policy import Circumstances, require_known, vocabulary
from likeness.service.govern import policy as acts
from likeness.service.govern.simulation import Difference, Said
from likeness.service.uses import Rows
from likeness.terms import (
    UNDECLARED,
    Action,
    Decision,
    Footage,
    LiveStatement,
    Principal,
    Role,
    Rule,
    Use,
)

_Packs = list[str] | None

_LISTED = 20


class Axis(StrEnum):
    """What a table goes through."""

    ACTION = "action"
    SECTOR = "sector"
    JURISDICTION = "jurisdiction"
    PURPOSE = "purpose"


def explain(
    key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the access key that is used.")
    ] = None,
    role: Annotated[Role, typer.Option(help="Role of the caller.")] = Role.CLIENT,
    organisation: Annotated[
        str, typer.Option(metavar="O", help="Organisation of the caller.")
    ] = UNDECLARED,
    sector: Annotated[str, typer.Option(metavar="S", help="Sector of the caller.")] = UNDECLARED,
    jurisdiction: Annotated[
        str, typer.Option(metavar="J", help="Jurisdiction of the caller.")
    ] = UNDECLARED,
    purpose: Annotated[str, typer.Option(metavar="P", help="Purpose of the use.")] = UNDECLARED,
    action: Annotated[Action, typer.Option(help="Action that is asked for.")] = Action.SEARCH,
    collection: Annotated[
        str | None, typer.Option(metavar="C", help="Name of the collection that it is on.")
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Day or time, such as 2027-12-02. Default: now."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The pictures are of this very moment.")
    ] = False,
    live_search: Annotated[
        bool,
        typer.Option("--live-search", help="A camera or stream is searched until that is ended."),
    ] = False,
    place: Annotated[
        bool, typer.Option("--place", help="The live search states where the camera looks.")
    ] = False,
    authority: Annotated[
        bool, typer.Option("--authority", help="The live search states on whose authority.")
    ] = False,
    criteria: Annotated[
        bool,
        typer.Option(
            "--criteria", help="The live search states by which criteria it looks for whom."
        ),
    ] = False,
    end: Annotated[
        bool, typer.Option("--end", help="The live search states when it ends.")
    ] = False,
    footage: Annotated[
        Footage, typer.Option(help="Sort of source of the pictures, as the caller states it.")
    ] = Footage.UNDECLARED,
    tagged_footage: Annotated[
        Footage | None,
        typer.Option(
            help="Sort of source that the collection's tag declares. Default: what it says now."
        ),
    ] = None,
    case: Annotated[bool, typer.Option("--case", help="The use names a case.")] = False,
    warrant: Annotated[bool, typer.Option("--warrant", help="The use names a warrant.")] = False,
    notice: Annotated[bool, typer.Option("--notice", help="Notice is shown to people.")] = False,
    authorised: Annotated[
        bool, typer.Option("--authorised", help="An authorisation is on record.")
    ] = False,
    similarity: Annotated[
        float, typer.Option(help="Similarity of the least alike candidate.", min=0, max=100)
    ] = 0.0,
    reviews: Annotated[int, typer.Option(help="Number of reviewers so far.", min=0)] = 0,
    separate_reviews: Annotated[
        int, typer.Option(help="Number of them who knew of no other's verdict.", min=0)
    ] = 0,
    true_positives: Annotated[
        float,
        typer.Option(
            help="Percent of true positives by NIST's test on a report card. Default: what the"
            " accepted cards say.",
            min=0,
            max=100,
        ),
    ] = 0.0,
    uses_today: Annotated[
        int, typer.Option(help="Number of the organisation's uses before it today.", min=0)
    ] = 0,
    hours_since: Annotated[float, typer.Option(help="Hours since the use.", min=0)] = 0.0,
    each: Annotated[Axis | None, typer.Option(help="Make a table of every value of this.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the rules in force, and the stop switch, say of a use; nothing is recorded.

    With --collection its tags count, too. Without --key, of a caller of whom the options say all
    that is known.
    """
    require_known(sector=sector, jurisdiction=jurisdiction, purposes=[purpose])
    now = _moment(date)
    stated = LiveStatement(
        "stated" if place else None,
        "stated" if authority else None,
        "stated" if criteria else None,
        now if end else None,
    )
    goes_on = live_search or stated != LiveStatement()
    use = Use(
        Principal("key:explained", role, organisation, sector, jurisdiction),
        action,
        "Explain",
        purpose=purpose,
        case="stated" if case else None,
        warrant="stated" if warrant else None,
        live=live or goes_on,
        footage=footage,
        live_search=stated if goes_on else None,
    )
    with open_rows(installation_here()) as rows:
        use = _found(rows, use, key, collection)
        rules = acts.rules_now(rows)
    declared = Circumstances.at_admission(use, uses_today)
    circumstances = replace(
        declared,
        similarity=similarity,
        reviews=max(reviews, separate_reviews),
        separate_reviews=separate_reviews,
        least_true_positives=Decimal(str(true_positives)),
        authorised=authorised,
        since_use=timedelta(hours=hours_since),
        notice_shown=notice or declared.notice_shown,
        footage=tagged_footage or declared.footage,
    )

    def decide(one: Use) -> Decision:
        # A day that is asked about says nothing of the clock.
        return rules.decide(one, circumstances, now, by_the_clock=date is None)

    if each is not None:
        _explain_each(use, each, decide, now, as_json)
        return
    decision = decide(use)
    print_answer(as_json, _decision_json(use, decision, now), _in_words(decision))
    if not decision.allowed:
        raise typer.Exit(ExitCode.NO)


def simulate(
    enable: Annotated[
        _Packs,
        typer.Option(metavar="PACK", help="Pack to take as enabled. May be repeated."),
    ] = None,
    disable: Annotated[
        _Packs,
        typer.Option(metavar="PACK", help="Pack to take as disabled. May be repeated."),
    ] = None,
    choice: Annotated[
        _Packs,
        typer.Option(
            metavar="PACK.NAME=VALUE",
            help="Value to take as chosen of an enabled pack. May be repeated.",
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help=f"List every use, not the first {_LISTED} alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask changed rules about every use in the ledger, and show what would differ.

    Each is asked about as it was admitted, before there were scores; nothing is changed.
    """
    packs, chosen = [named_pack(name) for name in enable or []], chosen_pairs(choice or [])
    with open_rows(installation_here()) as rows:
        simulation = acts.simulate(rows, packs, disable or [], chosen)
    differences = simulation.differences
    listed = differences if all_ else differences[:_LISTED]
    lines = [
        f"{len(differences):,} of {several(simulation.uses, 'use')} would differ.",
        *(
            f"  {count:,}  {change}"
            for change, count in Counter(map(_change, differences)).most_common()
        ),
        *(
            f"{one.recorded.index}  {one.recorded.at:%Y-%m-%d %H:%M}"
            f"  {one.recorded.use.operation}: {_change(one)}"
            for one in listed
        ),
    ]
    if len(listed) < len(differences):
        lines.append(f"{len(differences) - len(listed):,} more: --all lists them.")
    document = {"uses": simulation.uses, "differences": [_difference_json(d) for d in differences]}
    print_answer(as_json, document, lines)


def _found(rows: Rows, use: Use, key: str | None, collection: str | None) -> Use:
    """Put a key's holder and a collection's declarations in a use."""
    if key is not None:
        principal = acts.key_named(rows, key).principal
        if use.principal != Principal("key:explained", Role.CLIENT):
            raise InvalidRequest(
                "--key says what its holder is, and other options do too. Leave out either."
            )
        first = (*principal.purposes, UNDECLARED)[0]
        purpose = first if use.purpose == UNDECLARED else use.purpose
        use = replace(use, principal=principal, purpose=purpose)
    return use if collection is None else acts.use_in_collection(rows, use, collection)


def _explain_each(
    use: Use, axis: Axis, decide: Callable[[Use], Decision], now: datetime, as_json: bool
) -> None:
    uses = {value: _with(use, axis, value) for value in _values(axis)}
    decisions = {value: decide(one) for value, one in uses.items()}
    width = max(map(len, uses))
    document = {
        "each": axis.value,
        "decisions": [_decision_json(uses[value], decisions[value], now) for value in uses],
    }
    lines = (
        f"{value:{width}}  {'; '.join(_in_words(decision, briefly=True))}"
        for value, decision in decisions.items()
    )
    print_answer(as_json, document, lines)


def _values(axis: Axis) -> list[str]:
    words = vocabulary()
    values: dict[Axis, Iterable[str]] = {
        Axis.ACTION: Action,
        Axis.SECTOR: words.sectors,
        Axis.JURISDICTION: words.jurisdictions,
        Axis.PURPOSE: words.purposes,
    }
    return [str(value) for value in values[axis]]


def _with(use: Use, axis: Axis, value: str) -> Use:
    if axis is Axis.ACTION:
        return replace(use, action=Action(value))
    if axis is Axis.PURPOSE:
        return replace(use, purpose=value)
    principal = use.principal
    if axis is Axis.SECTOR:
        return replace(use, principal=replace(principal, sector=value))
    return replace(use, principal=replace(principal, jurisdiction=value))


def _decision_json(use: Use, decision: Decision, now: datetime) -> Json:
    return {
        "at": now.isoformat(),
        "action": use.action.value,
        "role": use.principal.role.value,
        "organisation": use.principal.organisation,
        "sector": use.principal.sector,
        "jurisdiction": use.principal.jurisdiction,
        "purpose": use.purpose,
        "collection": use.collection_id and str(use.collection_id),
        "allowed": decision.allowed,
        "allowed_by": [_rule_json(rule) for rule in decision.allowed_by],
        "refused_by": [_rule_json(rule) for rule in decision.refused_by],
        "obligations": [
            {"duty": one.duty.value, "amount": one.amount, **_rule_json(one.rule)}
            for one in decision.obligations
        ],
        "rules_digest": decision.rules_digest,
    }


def _rule_json(rule: Rule) -> Json:
    return {"rule": rule.id, "pack": rule.pack, "source": rule.source}


def _in_words(decision: Decision, *, briefly: bool = False) -> list[str]:
    def named(rule: Rule) -> str:
        return rule.id if briefly else f"{rule.id} (pack {rule.pack}: {rule.source})"

    if decision.refused_by:
        return [f"refused by {named(rule)}" for rule in decision.refused_by]
    return [
        *(f"allowed by {named(rule)}" for rule in decision.allowed_by),
        *(f"owes {one.duty} {one.amount:g} by {named(one.rule)}" for one in decision.obligations),
    ]


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"Not a date: {text!r}. Give one such as 2027-12-02 or 2027-12-02T12:00."
        ) from error


def _change(difference: Difference) -> str:
    before, after = map(_said_in_words, (difference.recorded.said, difference.said))
    return f"{before}; would be {after}"


def _said_in_words(said: Said) -> str:
    if said.refused_by:
        return f"refused by {', '.join(sorted(said.refused_by))}"
    owing = ", ".join(f"{duty} {amount:g}" for duty, amount in sorted(said.owed))
    return f"allowed, owing {owing}" if owing else "allowed"


def _difference_json(difference: Difference) -> Json:
    recorded = difference.recorded
    return {
        "index": recorded.index,
        "at": recorded.at.isoformat(),
        "use": str(recorded.use.id),
        "principal": recorded.use.principal.id,
        "action": recorded.use.action.value,
        "operation": recorded.use.operation,
        "purpose": recorded.use.purpose,
        "before": _said_json(recorded.said),
        "after": _said_json(difference.said),
    }


def _said_json(said: Said) -> Json:
    return {
        "allowed": said.allowed,
        "refused_by": sorted(said.refused_by),
        "owed": [{"duty": duty.value, "amount": amount} for duty, amount in sorted(said.owed)],
    }
