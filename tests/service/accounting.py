"""A desk with real rules, a real ledger and real review, at a time that is set by hand."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from PIL import Image as PillowImage
from sqlalchemy import select

from likeness.ledger import Ledger
from likeness.ledger.tables import ENTRIES
from likeness.policy import RulesInForce, enable_pack, read_pack, shipped
from likeness.review import Verdict, get_case, give_verdict, probe_crop
from likeness.secrets import Keyring
from likeness.service.uses.ongoing import Ongoing
from likeness.service.uses.record import Desk, Outcome
from likeness.service.uses.withhold import Probe, Withholding
from likeness.storage import Database, Freshness
from likeness.terms import Action, Box, Face, Landmarks, Point, Pose, Principal, Quality, Role, Use
from likeness.vision.decode import Sample, inspect

COLLECTION = uuid4()
FACE = Face(
    Box(20, 20, 80, 80),
    Landmarks(*(Point(40.0 + n, 50.0) for n in range(5))),
    0.99,
    Pose(0.0, 0.0, 0.0),
    Quality(60.0, 70.0, 60.0),
)
SEARCHER = Principal("key:searcher", Role.CLIENT, "Example", "commerce", "US-WA", ("research",))
POLICE = Principal(
    "key:police", Role.CLIENT, "Anytown", "police", "US-CA", ("criminal-investigation",)
)

FACTS = """
title = "A test's rules"
jurisdiction = "everywhere"
status = "ours"
effective = 2000-01-01
source = "a test"
version = "1"
reading = "Whatever a test needs."
"""
NO_SEARCH = """
@id("none")
@source("a test")
@effective("2020-01-01")
forbid(principal, action == Action::"search", resource);
"""


def sample(colour: int = 90) -> Sample:
    """A picture in which somebody could be."""
    written = io.BytesIO()
    pixels = np.full((120, 160, 3), colour, np.uint8)
    PillowImage.fromarray(pixels).save(written, "PNG")
    return inspect(written.getvalue())


@dataclass(frozen=True)
class Match:
    """Whom a search found."""

    similarity: float
    reference_id: UUID = field(default_factory=uuid4)
    subject_id: UUID | None = None


def nobody_else(ids: Sequence[UUID]) -> list[Match]:
    """Whom people confirmed is among the matches."""
    raise AssertionError(f"{ids} were expected among the matches")


@dataclass
class Accounting:
    """An installation's rows, and what is done at its desk."""

    database: Database
    keyring: Keyring
    now: datetime = field(default_factory=lambda: datetime(2100, 3, 1, 12, tzinfo=UTC))
    keeps_crops: bool = True

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.database, self.keyring, lambda: self.now)

    def desk(self) -> Desk:
        # Rules are read anew: what a test has changed is in force at once.
        withholding = Withholding(self.keyring, self.keeps_crops, timedelta(days=30))
        rules = RulesInForce(Freshness(self.database))
        return Desk(self.database, self.ledger, rules, withholding, lambda: self.now)

    def enable(self, name: str, **choices: str) -> None:
        self.database.write(
            lambda connection: enable_pack(
                connection, shipped()[name], choices, by="local:test", now=self.now
            )
        )

    def rule(self, text: str) -> None:
        """Put a rule in force."""
        pack = read_pack("of-a-test", FACTS, text)
        self.database.write(
            lambda connection: enable_pack(connection, pack, {}, by="local:test", now=self.now)
        )

    def owe(
        self, duty: str, amount: str, met: str, action: str = "search", when: str = "true"
    ) -> None:
        """Put a duty in force."""
        self.rule(
            f'@id("owed") @source("a test") @effective("2000-01-01")'
            f' @obligation("{duty}") @amount("{amount}")'
            f' forbid(principal, action == Action::"{action}", resource)'
            f" when {{ {when} }} unless {{ {met} }};"
        )

    def use(self, action: Action = Action.SEARCH, principal: Principal = SEARCHER) -> Use:
        purposes = principal.purposes
        return Use(
            principal,
            action,
            "SearchFacesByImage",
            COLLECTION,
            purpose=(*purposes, "undeclared")[0],
        )

    def search(
        self,
        matches: list[Match],
        use: Use | None = None,
        pushed_out: Sequence[Match] = (),
        ongoing: Ongoing | None = None,
        **probe: Any,
    ) -> Any:
        """Search for somebody; give what was answered, and the record.

        Those who are `pushed_out` are like the probe, and others are more so.
        """
        asked = replace(use or self.use(), id=uuid4())
        with self.desk().record(asked, ongoing) as record:
            released = record.release(
                matches,
                Probe(**{"sample": sample(), "face": FACE, **probe}),
                lambda ids: [one for one in pushed_out if one.reference_id in ids],
            )
            record.answered(Outcome(1, len(released), tuple(one.reference_id for one in released)))
        return released, record

    def entries(self) -> list[dict[str, Any]]:
        """Everything that is written down, but keys."""
        rows = self.database.read(
            lambda connection: list(
                connection.execute(select(ENTRIES.c.entry).order_by(ENTRIES.c.position)).scalars()
            )
        )
        return [one for one in map(json.loads, rows) if one["kind"] != "key"]

    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.entries()]

    def decide(self, case_id: UUID, reviewer: str, verdict: Verdict, number: int = 1) -> None:
        self.database.write(
            lambda connection: give_verdict(
                connection,
                self.keyring,
                case_id,
                number=number,
                reviewer_id=reviewer,
                verdict=verdict,
                reason="looked",
                now=self.now,
            )
        )

    def probe_crop(self, case_id: UUID) -> bytes | None:
        return self.database.read(
            lambda connection: probe_crop(
                connection, self.keyring, get_case(connection, case_id, self.now)
            )
        )
