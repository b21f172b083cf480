"""The golden table of each pack: what it says of a use, on both sides of every boundary.

A line is `fact=value ... -> allowed`, `-> refused by RULE, ...`, `-> owes DUTY AMOUNT by RULE, ...`
or `-> error WORDS`, where the choices cannot be. `pack:NAME=VALUE` is a choice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from likeness.policy import Circumstances
from likeness.terms import (
    Action,
    CollectionFacts,
    Decision,
    Footage,
    LiveStatement,
    Principal,
    Role,
    Use,
)

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Row:
    """A line of a golden table."""

    pack: str
    line: str
    facts: dict[str, str]
    choices: dict[str, str]
    expected: str

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.facts.get("at", "2026-01-01")).replace(tzinfo=UTC)

    @property
    def use(self) -> Use:
        fact = self.facts.get
        return Use(
            Principal(
                "key:00000000-0000-0000-0000-000000000001",
                Role(fact("role", "client")),
                fact("organisation", "undeclared").replace("_", " "),
                fact("sector", "undeclared"),
                fact("jurisdiction", "undeclared"),
            ),
            Action(fact("action", "search")),
            "SearchFacesByImage",
            collection=CollectionFacts(
                fact("collection-sector", "undeclared"),
                fact("collection-jurisdiction", "undeclared"),
                fact("collection-purpose", "undeclared"),
            ),
            purpose=fact("purpose", "undeclared"),
            case=fact("case"),
            warrant=fact("warrant"),
            live=fact("live") == "yes",
            footage=fact("stated-footage", "undeclared"),
            live_search=self.live_search,
        )

    @property
    def live_search(self) -> LiveStatement | None:
        if "live-search" not in self.facts:
            return None
        said = self.facts["live-search"].split(",")
        assert set(said) <= {"nothing", "place", "authority", "criteria", "end"}, self.line
        return LiveStatement(
            *("stated" if what in said else None for what in ("place", "authority", "criteria")),
            ends_at=self.now if "end" in said else None,
        )

    @property
    def circumstances(self) -> Circumstances:
        fact = self.facts.get
        return Circumstances(
            similarity=float(fact("similarity", "100")),
            reviews=int(fact("reviews", "0")),
            separate_reviews=int(fact("separate", "0")),
            least_true_positives=Decimal(fact("true-positives", "0")),
            authorised=fact("authorised") == "yes",
            since_use=timedelta(seconds=float(fact("seconds-since", "0"))),
            notice_shown=fact("notice") == "yes",
            uses_today=int(fact("uses-today", "0")),
            footage=Footage(fact("footage", "undeclared")),
            suspended=fact("suspended") == "yes",
            clock_set_back=fact("clock-set-back") == "yes",
        )


KNOWN_FACTS = set(
    [
        "at",
        "role",
        "organisation",
        "sector",
        "jurisdiction",
        "action",
        "collection-sector",
        "collection-jurisdiction",
        "collection-purpose",
        "purpose",
        "case",
        "warrant",
        "live",
        "live-search",
        "similarity",
        "reviews",
        "separate",
        "true-positives",
        "authorised",
        "seconds-since",
        "notice",
        "uses-today",
        "footage",
        "stated-footage",
        "suspended",
        "clock-set-back",
    ]
)


def rows() -> Iterator[Row]:
    """Read every golden table."""
    for path in sorted(GOLDEN.glob("*.txt")):
        yield from read_rows(path.stem, path.read_text())


def read_rows(pack: str, text: str) -> Iterator[Row]:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            said, _, expected = line.partition("->")
            pairs = dict(pair.split("=", 1) for pair in said.split())
            choices = {
                name.removeprefix("pack:"): value.replace("_", " ")
                for name, value in pairs.items()
                if name.startswith("pack:")
            }
            facts = {name: value for name, value in pairs.items() if name in KNOWN_FACTS}
            assert len(facts) + len(choices) == len(pairs), line
            yield Row(pack, line, facts, choices, expected.strip())


def in_words(decision: Decision) -> str:
    """Say a decision as the tables do."""
    if decision.refused_by:
        return "refused by " + ", ".join(sorted(rule.id for rule in decision.refused_by))
    if decision.obligations:
        return "owes " + ", ".join(
            sorted(
                f"{owed.duty} {owed.amount:g} by {owed.rule.id}" for owed in decision.obligations
            )
        )
    return "allowed" if decision.allowed else "nothing"
