"""The default policy against itself written out in plain Python, on thousands of random uses.

The oracle knows nothing of packs, of Cedar or of the vocabulary's file.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from likeness.policy import ChosenPack, Circumstances, PolicyEngine, shipped
from likeness.terms import (
    Action,
    CollectionFacts,
    Footage,
    LiveStatement,
    Principal,
    Role,
    Use,
)

pytestmark = pytest.mark.slow

DEFAULT = ("safeguards", "amazon-2020", "authenticated-use", "real-time", "live-search")
USES = 5_000

POLICE = {"law-enforcement", "police", "federal-agency", "prosecution"}
OTHER_SECTORS = {"public-body", "border-control", "commerce", "research", "child-protection"}
VICTIMS = {
    "victim-search",
    "missing-persons",
    "exploited-children",
    "trafficking-victims",
    "abduction-victims",
}
OTHER_PURPOSES = {"criminal-investigation", "media-archive", "identity-verification", "research"}
PLACES = {"US", "US-IL", "US-CA-SF", "GB", "DE", "EU"}
BIOMETRIC = {Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.WATCH}
LISTED = {"Thorn", "ICMEC", "Marinus Analytics"}


@dataclass(frozen=True)
class Chosen:
    """What the operator chose; the defaults are the packs'."""

    ends: datetime | None = None
    federal_covered: bool = True
    listed: frozenset[str] = frozenset(LISTED)
    undeclared_allowed: bool = True
    victims_held_to_floor: bool = True

    @property
    def engine(self) -> PolicyEngine:
        choices = {
            "amazon-2020": {
                "ends": self.ends.date().isoformat() if self.ends else "",
                "federal-agencies": "covered" if self.federal_covered else "not-covered",
                "listed-organisations": ", ".join(self.listed),
            },
            "authenticated-use": {
                "undeclared-sector": "allowed" if self.undeclared_allowed else "refused",
                "victim-search-floor": "99" if self.victims_held_to_floor else "none",
            },
        }
        packs = [ChosenPack.of(shipped()[name], choices.get(name, {})) for name in DEFAULT]
        return PolicyEngine(packs)


def oracle(
    use: Use, known: Circumstances, now: datetime, chosen: Chosen
) -> tuple[bool, set[str], set[tuple[str, float]]]:
    """Say whether it is allowed, which rules refuse it, and what is owed."""
    sectors = {use.principal.sector, use.collection.sector} - {"undeclared"}
    places = {use.principal.jurisdiction, use.collection.jurisdiction} - {"undeclared"}
    begun = now >= datetime(2000, 1, 1, tzinfo=UTC)
    refusing = set()
    governing = use.action is Action.GOVERN
    if known.suspended and use.action not in (Action.ERASE, Action.AUDIT, Action.GOVERN):
        refusing.add("stop-switch")
    if (known.clock_set_back or known.since_use < timedelta(0)) and not governing:
        refusing.add("clock-set-back")
    if not sectors <= POLICE | OTHER_SECTORS and not governing:
        refusing.add("unknown-sector")
    if not places <= PLACES and not governing:
        refusing.add("unknown-jurisdiction")
    purposes = {use.purpose, use.collection.purpose} - {"undeclared"}
    if not purposes <= VICTIMS | OTHER_PURPOSES and not governing:
        refusing.add("unknown-purpose")
    if use.action in BIOMETRIC:
        refusing |= _refusing_biometrics(use, sectors, places, chosen, now)
    admin, auditor = (use.principal.role is role for role in (Role.ADMIN, Role.AUDITOR))
    declared = bool(sectors) or chosen.undeclared_allowed
    permitted = begun and (
        admin
        if governing
        else declared
        or use.action is Action.ERASE
        or (use.action is Action.AUDIT and (admin or auditor))
    )
    if not begun:
        refusing = set()
    if not permitted and not refusing:
        refusing = {"nothing-permits"}
    compares = use.action in (Action.COMPARE, Action.SEARCH, Action.WATCH)
    owed = set()
    held = chosen.victims_held_to_floor or use.purpose not in VICTIMS
    if not refusing and compares and sectors & POLICE and held and known.similarity < 99:
        owed.add(("similarity", 99.0))
    return not refusing, refusing, owed


def _refusing_biometrics(
    use: Use, sectors: set[str], places: set[str], chosen: Chosen, now: datetime
) -> set[str]:
    refusing = set()
    declared = use.collection.purpose
    if declared != "undeclared":
        fits = use.purpose == declared or (declared == "victim-search" and use.purpose in VICTIMS)
        # What nobody knows is the same to rules.
        known = VICTIMS | OTHER_PURPOSES
        both_unknown = declared not in known and use.purpose not in {*known, "undeclared"}
        if not fits and not both_unknown:
            refusing.add("collection-for-another-purpose")
    if use.live and use.action in (Action.SEARCH, Action.WATCH):
        refusing.add("real-time-identification")
    if use.live and use.live_search and use.action in (Action.SEARCH, Action.WATCH):
        stated = {
            "place": use.live_search.place,
            "authority": use.live_search.authority,
            "criteria": use.live_search.criteria,
            "end": use.live_search.ends_at,
        }
        refusing |= {f"live-search-without-{what}" for what, said in stated.items() if not said}
    if not sectors & POLICE:
        return refusing
    if not places:
        refusing.add("police-without-jurisdiction")
    if use.purpose == "undeclared":
        refusing.add("police-without-purpose")
    in_time = now >= datetime(2020, 6, 10, tzinfo=UTC) and not (chosen.ends and now >= chosen.ends)
    only_federal = "federal-agency" in sectors and not sectors & {"police", "prosecution"}
    exempt = use.principal.organisation in chosen.listed and use.purpose in VICTIMS
    if in_time and (chosen.federal_covered or not only_federal) and not exempt:
        refusing.add("amazon-2020-police")
    return refusing


def random_use(chance: random.Random) -> tuple[Use, Circumstances, datetime]:
    def one_of(*sets: set[str], rest: tuple[str, ...] = ()) -> str:
        return chance.choice([chance.choice(sorted(one)) for one in sets] + list(rest))

    statement = LiveStatement(
        chance.choice([None, "here"]),
        chance.choice([None, "a court"]),
        chance.choice([None, "missing"]),
        chance.choice([None, datetime(2030, 1, 1, tzinfo=UTC)]),
    )
    rest = ("undeclared", "undeclared", chance.choice(["unknown", "fishing", "POLICE", ""]))
    use = Use(
        Principal(
            f"key:{UUID(int=chance.getrandbits(128))}",
            chance.choice(list(Role)),
            chance.choice([*sorted(LISTED), "NCMEC", "thorn", "undeclared"]),
            one_of(POLICE, POLICE, OTHER_SECTORS, rest=rest),
            one_of(PLACES, PLACES, rest=rest),
        ),
        chance.choice([*Action, *[Action.SEARCH] * 6]),
        "Operation",
        UUID(int=chance.getrandbits(128)) if chance.random() < 0.5 else None,
        CollectionFacts(
            one_of(POLICE, rest=("undeclared",) * 6 + rest[2:]),
            one_of(PLACES, rest=("undeclared",) * 6 + rest[2:]),
            one_of(VICTIMS, OTHER_PURPOSES, rest=("undeclared",) * 8 + rest[2:]),
        ),
        purpose=one_of(VICTIMS, VICTIMS, OTHER_PURPOSES, rest=rest),
        case=chance.choice([None, "17"]),
        warrant=chance.choice([None, "W1"]),
        live=chance.random() < 0.2,
        live_search=chance.choice([None, None, None, None, statement]),
    )
    reviews = chance.randrange(3)
    known = Circumstances(
        similarity=chance.choice([0.0, 98.9999, 98.99999999, 99.0, 100.0]),
        reviews=reviews,
        separate_reviews=chance.randrange(reviews + 1),
        authorised=chance.random() < 0.3,
        since_use=timedelta(milliseconds=chance.choice([0, 0, 0, 1, 10**8, -1])),
        notice_shown=chance.random() < 0.5,
        uses_today=chance.randrange(1000),
        footage=chance.choice(list(Footage)),
        suspended=chance.random() < 0.1,
        clock_set_back=chance.random() < 0.05,
    )
    day = chance.choice([(2020, 6, 10), (2021, 6, 10), (2000, 1, 1), (2026, 1, 1)])
    off = timedelta(milliseconds=chance.choice([-86_400_000, -1, 0, 1, 86_400_000]))
    return use, known, datetime(*day, tzinfo=UTC) + off


CHOSEN = {
    "as it comes": Chosen(),
    "with an end": Chosen(ends=datetime(2021, 6, 10, tzinfo=UTC)),
    "without federal agencies": Chosen(federal_covered=False),
    "with another list": Chosen(listed=frozenset({"NCMEC"})),
    "with nobody undeclared": Chosen(undeclared_allowed=False),
    "without a floor for victims": Chosen(victims_held_to_floor=False),
}


@pytest.mark.parametrize(("name", "chosen"), CHOSEN.items(), ids=list(CHOSEN))
def test_the_default_policy_is_what_it_says(name: str, chosen: Chosen) -> None:
    chance = random.Random(name)
    engine = chosen.engine
    seen: dict[str, int] = {}
    for _ in range(USES // len(CHOSEN)):
        use, known, now = random_use(chance)
        decision = engine.decide(use, known, now)
        refused = {rule.id for rule in decision.refused_by}
        owed = {(one.duty.value, one.amount) for one in decision.obligations}
        assert (decision.allowed, refused, owed) == oracle(use, known, now, chosen), (use, now)
        for rule_id in refused or {"allowed"}:
            seen[rule_id] = seen.get(rule_id, 0) + 1
    # Random uses that all end alike would show nothing.
    assert seen["allowed"] > USES // len(CHOSEN) // 20
    assert len(seen) >= 9, seen
