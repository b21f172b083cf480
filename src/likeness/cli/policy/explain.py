"""`likeness policy explain`: who may do what, for which purpose, when, and which rule decides."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from likeness.cli.policy.office import office
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.errors import InvalidRequest
from likeness.policy import Circumstances, Footage, require_known, vocabulary
from likeness.service.govern.policy_office import PolicyOffice
from likeness.terms import UNDECLARED, Action, Decision, Principal, Role, Rule, Use


class Axis(StrEnum):
    """What a table goes through."""

    ACTION = "action"
    SECTOR = "sector"
    JURISDICTION = "jurisdiction"
    PURPOSE = "purpose"


def explain(
    key: Annotated[str | None, typer.Option(metavar="NAME", help="Whose key is used.")] = None,
    role: Annotated[Role, typer.Option(help="In which role.")] = Role.CLIENT,
    organisation: Annotated[str, typer.Option(metavar="O", help="Of whom.")] = UNDECLARED,
    sector: Annotated[str, typer.Option(metavar="S", help="Being what.")] = UNDECLARED,
    jurisdiction: Annotated[str, typer.Option(metavar="J", help="Where.")] = UNDECLARED,
    purpose: Annotated[str, typer.Option(metavar="P", help="For which purpose.")] = UNDECLARED,
    action: Annotated[Action, typer.Option(help="Doing what.")] = Action.SEARCH,
    collection: Annotated[
        str | None, typer.Option(metavar="C", help="On which collection, by name.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(metavar="DATE", help="When: 2027-12-02, or with a time; now.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="In pictures of this moment.")] = False,
    footage: Annotated[Footage, typer.Option(help="Of what origin.")] = Footage.UNDECLARED,
    case: Annotated[bool, typer.Option("--case", help="Naming a case.")] = False,
    warrant: Annotated[bool, typer.Option("--warrant", help="Naming a warrant.")] = False,
    notice: Annotated[bool, typer.Option("--notice", help="With notice shown.")] = False,
    authorised: Annotated[
        bool, typer.Option("--authorised", help="With an authorisation on record.")
    ] = False,
    similarity: Annotated[float, typer.Option(help="Percent.", min=0, max=100)] = 0.0,
    reviews: Annotated[int, typer.Option(help="Reviewers so far.", min=0)] = 0,
    separate_reviews: Annotated[int, typer.Option(help="Of them separate.", min=0)] = 0,
    uses_today: Annotated[int, typer.Option(help="Uses before it today.", min=0)] = 0,
    hours_since: Annotated[float, typer.Option(help="Hours since the use.", min=0)] = 0.0,
    each: Annotated[
        Axis | None, typer.Option(help="Say it of each value that there is, in a table.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the rules in force, and the stop switch, say of a use; nothing is recorded.

    With --collection its tags count, too. Without --key, of a caller of whom the options say all
    that is known.
    """
    require_known(sector=sector, jurisdiction=jurisdiction, purposes=[purpose])
    now = _moment(date)
    circumstances = Circumstances(
        similarity,
        max(reviews, separate_reviews),
        separate_reviews,
        authorised,
        timedelta(hours=hours_since),
        notice,
        uses_today,
        footage,
    )
    principal = Principal("key:explained", role, organisation, sector, jurisdiction)
    use = Use(
        principal,
        action,
        "Explain",
        purpose=purpose,
        case="stated" if case else None,
        warrant="stated" if warrant else None,
        live=live,
    )
    with office() as open_office:
        use = _found(open_office, use, key, collection)
        rules = open_office.now()
    engine = rules.engine
    declared = Circumstances.at_admission(use, uses_today)
    circumstances = replace(
        circumstances,
        notice_shown=notice or declared.notice_shown,
        footage=declared.footage if footage is Footage.UNDECLARED else footage,
    )
    # A day that is asked about says nothing of the clock.
    clock = now if date is None else None

    def decide(one: Use) -> Decision:
        return engine.decide(one, rules.seen_by(one, circumstances, clock), now)

    if each is None:
        _explain_one(use, decide(use), now, as_json)
    else:
        _explain_each(use, each, decide, now, as_json)


def _found(open_office: PolicyOffice, use: Use, key: str | None, collection: str | None) -> Use:
    """Put a key's holder and a collection's declarations in a use."""
    if key is not None:
        principal = open_office.key(key).principal
        if use.principal != Principal("key:explained", Role.CLIENT):
            raise InvalidRequest(
                "--key, or what its holder is, was expected and both came: leave out either"
            )
        first = principal.purposes[0] if principal.purposes else UNDECLARED
        purpose = first if use.purpose == UNDECLARED else use.purpose
        use = replace(use, principal=principal, purpose=purpose)
    if collection is not None:
        use = open_office.in_collection(use, collection)
    return use


def _explain_one(use: Use, decision: Decision, now: datetime, as_json: bool) -> None:
    if as_json:
        print_json(_decision_json(use, decision, now))
    else:
        for line in _in_words(decision):
            print(plain(line))
    if not decision.allowed:
        raise typer.Exit(ExitCode.NO)


def _explain_each(
    use: Use, axis: Axis, decide: Callable[[Use], Decision], now: datetime, as_json: bool
) -> None:
    uses = {value: _with(use, axis, value) for value in _values(axis)}
    if as_json:
        print_json(
            {
                "each": axis.value,
                "decisions": [_decision_json(one, decide(one), now) for one in uses.values()],
            }
        )
        return
    width = max(map(len, uses))
    for value, one in uses.items():
        print(plain(f"{value:{width}}  {'; '.join(_in_words(decide(one), briefly=True))}"))


def _values(axis: Axis) -> list[str]:
    words = vocabulary()
    match axis:
        case Axis.ACTION:
            return [action.value for action in Action]
        case Axis.SECTOR:
            return list(words.sectors)
        case Axis.JURISDICTION:
            return list(words.jurisdictions)
        case Axis.PURPOSE:
            return list(words.purposes)


def _with(use: Use, axis: Axis, value: str) -> Use:
    match axis:
        case Axis.ACTION:
            return replace(use, action=Action(value))
        case Axis.SECTOR:
            return replace(use, principal=replace(use.principal, sector=value))
        case Axis.JURISDICTION:
            return replace(use, principal=replace(use.principal, jurisdiction=value))
        case Axis.PURPOSE:
            return replace(use, purpose=value)


def _decision_json(use: Use, decision: Decision, now: datetime) -> Json:
    return {
        "at": now.isoformat(),
        "action": use.action.value,
        "role": use.principal.role.value,
        "organisation": use.principal.organisation,
        "sector": use.principal.sector,
        "jurisdiction": use.principal.jurisdiction,
        "purpose": use.purpose,
        "collection": str(use.collection_id) if use.collection_id else None,
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
            f"a date such as 2027-12-02, or 2027-12-02T12:00, was expected and {text!r} came:"
            " correct it"
        ) from error
