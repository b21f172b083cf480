"""How does a use leave proof? Every act on a home goes through a `Record`.

    with desk.record(use) as record:        # admitted, or Denied; every exit leaves an entry
        ...                                 # decode, embed, search
        released = record.release(matches, probe)
        record.answered(Outcome(faces=1, candidates=len(released)))

An act that changes rows calls `write` once, in place of `answered`: rows and entry commit together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.terms import Decision, Face, Use
from likeness.vision.decode import Sample

T = TypeVar("T")


class Matched(Protocol):
    """Whom a search found: what rules may ask about."""

    @property
    def similarity(self) -> float:
        """How alike, 0 to 100."""

    @property
    def reference_id(self) -> UUID | None:
        """Which reference; None where all of a subject's were fused."""

    @property
    def subject_id(self) -> UUID | None:
        """Which subject; None where the reference is nobody's."""


M = TypeVar("M", bound=Matched)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What was searched for; `sample` is None where it is an enrolled reference or subject.

    `parameters` are what else of the call decides its answer, such as limit and threshold.
    """

    sample: Sample | None
    face: Face | None
    enrolled_id: UUID | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a use: counts, ids and words of ours, which an entry may hold.

    Of subjects and references an entry holds commitments. `forgotten` are those that the act has
    erased, with `forgets_collection` all that there were: what ties entries to them goes too.
    """

    faces: int = 0
    candidates: int = 0
    reference_ids: tuple[UUID, ...] = ()
    subject_ids: tuple[UUID, ...] = ()
    certificate_id: UUID | None = None
    key_id: UUID | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    forgotten: Iterable[UUID] = ()
    forgets_collection: bool = False


class Record(Protocol):
    """One use from its admission to its answer."""

    @property
    def use(self) -> Use:
        """What was asked for."""

    @property
    def decision(self) -> Decision:
        """What the rules said when it was admitted."""

    @property
    def receipt(self) -> str | None:
        """The id of the last entry; None where nothing is recorded."""

    @property
    def case_id(self) -> UUID | None:
        """The review case that withholds the answer; None where nothing does."""

    @property
    def ended(self) -> bool:
        """Whether what came of it is recorded; after `release`, that the answer is withheld."""

    @property
    def confirmed(self) -> bool:
        """Whether people have decided the case of what `release` gave last."""

    @property
    def confirmed_ids(self) -> frozenset[UUID]:
        """Whom of it they confirmed: references, or subjects where all of theirs were fused."""

    def refer(self, matches: Sequence[M], probe: Probe) -> None:
        """Let people decide on matches that rates do not settle, where pictures are kept."""

    def release(
        self, matches: Sequence[M], probe: Probe, among: Callable[[Sequence[UUID]], Sequence[M]]
    ) -> list[M]:
        """Ask policy again, now that scores exist; give what may be answered.

        Whom people confirmed is answered, whoever was enrolled since and is more alike: `among`
        gives who of some references or subjects would be matches if nobody else were enrolled.

        Raises:
            Denied: nothing may be.
        """

    def write(self, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]) -> T:
        """Run an act in a transaction, together with the entry that says what came of it.

        Raises what `Database.write` raises.
        """

    def answered(self, outcome: Outcome) -> None:
        """Leave the entry of an act that changed no rows; durable when this returns."""


class Desk(Protocol):
    """Admits uses and keeps their record."""

    def record(self, use: Use) -> AbstractContextManager[Record]:
        """Ask policy and begin a record.

        Raises:
            Denied: policy forbids the use; that is recorded.
            LedgerBroken: it cannot be recorded, so nothing was done.
        """
