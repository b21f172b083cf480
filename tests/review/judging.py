"""Cases of a search for one probe, and people who judge them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from likeness.review import (
    Candidate,
    Case,
    Found,
    Owed,
    Search,
    Standing,
    Verdict,
    delete_case,
    ended_cases,
    find_case,
    give_verdict,
    open_case,
    outcome_of,
)
from likeness.secrets import Keyring
from likeness.storage import Database

COLLECTION = uuid4()
CROP = b"\xff\xd8 the face of somebody \xff\xd9"
SEARCH = Search(
    "key:searcher",
    COLLECTION,
    "SearchFacesByImage",
    "missing-persons",
    (("limit", "5"),),
    b"p" * 32,
)


def found(count: int = 1) -> list[Found]:
    """Whom a search found, the most alike first."""
    return [Found(uuid4(), uuid4(), 99.0 - rank) for rank in range(count)]


@dataclass
class Desk:
    """Acts on cases in a database, at a time that is set by hand."""

    database: Database
    keyring: Keyring
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, tzinfo=UTC))

    def pass_hours(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def open(
        self,
        candidates: list[Found],
        search: Search = SEARCH,
        crop_jpeg: bytes | None = CROP,
        days: float = 30,
        probe_id: UUID | None = None,
        **owed: Any,
    ) -> Case:
        return self.database.write(
            lambda connection: open_case(
                connection,
                self.keyring,
                search,
                Owed(**{"reviews": 1, **owed}),
                candidates,
                use_id=uuid4(),
                crop_jpeg=crop_jpeg,
                now=self.now,
                expires_at=self.now + timedelta(days),
                probe_id=probe_id,
            )
        )

    def decide(
        self, case: Case, reviewer: str, verdict: Verdict, number: int | None = None
    ) -> Standing:
        return self.database.write(
            lambda connection: give_verdict(
                connection,
                self.keyring,
                case.id,
                number=number,
                reviewer_id=f"key:{reviewer}",
                verdict=verdict,
                reason=f"{reviewer} looked at the ears",
                now=self.now,
            )
        )[1].standing

    def candidates(self, case: Case) -> tuple[Candidate, ...]:
        return self.database.read(lambda c: outcome_of(c, case)).candidates

    def released(self, search: Search = SEARCH) -> tuple[UUID, ...] | None:
        """Whom people confirmed for a search; None while it has to wait."""
        case = self.find(search)
        if case is None:
            return None
        outcome = self.database.read(lambda c: outcome_of(c, case))
        return outcome.confirmed_ids if outcome.decided else None

    def find(self, search: Search = SEARCH) -> Case | None:
        return self.database.read(lambda c: find_case(c, self.keyring, search, self.now))

    def sweep(self) -> list[Case]:
        def sweep(connection: Connection) -> list[Case]:
            ended = ended_cases(connection, self.now)
            for case in ended:
                delete_case(connection, case)
            return ended

        return self.database.write(sweep)


def other(**changed: Any) -> Search:
    """The same search, but for this."""
    return replace(SEARCH, **changed)
