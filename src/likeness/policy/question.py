"""What the rules are asked of a use: its facts, as Cedar reads them (`schema.cedarschema`)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from likeness.policy.cedar import rounded_down
from likeness.policy.circumstances import Circumstances
from likeness.policy.words import Values, known, vocabulary, within
from likeness.terms import UNDECLARED, LiveStatement, Use

_MILLISECOND = timedelta(milliseconds=1)
_ANY_USE = UUID(int=0)
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_NO_STATEMENT = LiveStatement()


def as_rules_see_it(use: Use) -> Use:
    """Leave out what differs between uses that no rule tells apart."""
    live_search = use.live_search
    if live_search is not None:
        live_search = LiveStatement(
            _whether(live_search.place),
            _whether(live_search.authority),
            _whether(live_search.criteria),
            None if live_search.ends_at is None else _ANY_MOMENT,
        )
    return replace(
        use,
        operation="",
        case=_whether(use.case),
        warrant=_whether(use.warrant),
        live_search=live_search,
        footage=UNDECLARED,
        granted=True,
        replayed=False,
        model=None,
        id=_ANY_USE,
    )


def _whether(said: str | None) -> str | None:
    return "stated" if said else None


def request_of(
    use: Use, circumstances: Circumstances, similarity: Decimal, now: datetime
) -> dict[str, Any]:
    """Give the request that asks about a use, with the facts that rules read of it."""
    purpose = known(vocabulary().purposes, use.purpose)
    stated = use.live_search or _NO_STATEMENT
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "principal": {"type": "Caller", "id": use.principal.id},
        "action": {"type": "Action", "id": use.action.value},
        "resource": {"type": "Collection", "id": str(use.collection_id)},
        "context": {
            "now": _extended("datetime", moment),
            "purpose": {"__entity": {"type": "Purpose", "id": purpose}},
            "live": use.live,
            "liveSearch": use.live_search is not None,
            "placeStated": bool(stated.place),
            "authorityStated": bool(stated.authority),
            "criteriaStated": bool(stated.criteria),
            "endStated": stated.ends_at is not None,
            "footage": {"__entity": {"type": "Footage", "id": circumstances.footage.value}},
            "caseStated": bool(use.case),
            "warrantStated": bool(use.warrant),
            "noticeShown": circumstances.notice_shown,
            "usesToday": circumstances.uses_today,
            "similarity": _extended("decimal", str(similarity)),
            "leastTruePositives": _extended(
                "decimal", str(rounded_down(circumstances.least_true_positives))
            ),
            "reviews": circumstances.reviews,
            "separateReviews": circumstances.separate_reviews,
            "authorised": circumstances.authorised,
            "sinceUse": _extended("duration", f"{circumstances.since_use // _MILLISECOND}ms"),
            "suspended": circumstances.suspended,
            "clockSetBack": circumstances.clock_set_back,
        },
    }


def _extended(function: str, argument: str) -> dict[str, Any]:
    return {"__extn": {"fn": function, "arg": argument}}


def _caller(use: Use) -> dict[str, Any]:
    words, principal, declared = vocabulary(), use.principal, use.collection
    sectors = _whole(words.sectors, (principal.sector, declared.sector))
    jurisdictions = _whole(words.jurisdictions, (principal.jurisdiction, declared.jurisdiction))
    return {
        "uid": {"type": "Caller", "id": principal.id},
        "attrs": {"organisation": principal.organisation},
        "parents": [
            {"type": "Role", "id": principal.role.value},
            *({"type": "Sector", "id": one} for one in sectors),
            *({"type": "Jurisdiction", "id": one} for one in jurisdictions),
        ],
    }


def _whole(values: Values, declared: tuple[str, str]) -> list[str]:
    """Give what is declared and all that it is part of; `undeclared` where nothing is."""
    said = {known(values, one) for one in declared}
    return sorted(set().union(*(within(values, one) for one in said - {UNDECLARED} or said)))


def _collection(use: Use) -> dict[str, Any]:
    purpose = known(vocabulary().purposes, use.collection.purpose)
    return {
        "uid": {"type": "Collection", "id": str(use.collection_id)},
        "attrs": {"purpose": {"__entity": {"type": "Purpose", "id": purpose}}},
        "parents": [],
    }


def entities_of(use: Use) -> list[dict[str, Any]]:
    """Give who does a use, and the collection that it is of, with all that they are part of."""
    return [_caller(use), _collection(use)]


def every_purpose() -> list[dict[str, Any]]:
    """Give the purposes that rules may name, with what each is a part of."""
    return [
        {
            "uid": {"type": "Purpose", "id": name},
            "attrs": {},
            "parents": [{"type": "Purpose", "id": parent} for parent in parents],
        }
        for name, parents in vocabulary().purposes.items()
    ]
