"""What is a case made of? A search, what is owed, whom it found, what people decided."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from likeness.review.quorum import Standing


@dataclass(frozen=True, slots=True)
class Search:
    """What makes two searches the same.

    `parameters` are what else of the call decides its answer. `probe` is the SHA-256 of a sample,
    or the bytes of the id of what is enrolled.
    """

    principal_id: str
    collection_id: UUID
    operation: str
    purpose: str
    parameters: tuple[tuple[str, str], ...]
    probe: bytes


@dataclass(frozen=True, slots=True)
class Owed:
    """What has to be done: so many reviews, an authorisation within so many hours."""

    reviews: int = 0
    separately: bool = False
    authorisation_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found, before anybody has looked; `reference_id` is None where fused."""

    reference_id: UUID | None
    subject_id: UUID | None
    similarity: float

    @property
    def id(self) -> UUID:
        """The reference, or the subject where all of theirs were fused."""
        identifier = self.reference_id or self.subject_id
        assert identifier is not None  # a search gives one of the two
        return identifier


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom a search found, and what people have decided.

    `number` names them within the case and tells nothing; `rank` is 1 for the most alike.
    """

    number: int
    rank: int
    reference_id: UUID | None
    subject_id: UUID | None
    similarity: float
    standing: Standing

    @property
    def id(self) -> UUID:
        """The reference, or the subject where all of theirs were fused."""
        identifier = self.reference_id or self.subject_id
        assert identifier is not None  # as it was found
        return identifier


@dataclass(frozen=True, slots=True)
class Case:
    """A search whose answer waits for people; `authorise_by` is None where no authority is owed."""

    id: UUID
    watch_id: UUID | None
    use_id: UUID
    principal_id: str
    collection_id: UUID
    operation: str
    purpose: str
    reviews: int
    separately: bool
    opened_at: datetime
    expires_at: datetime
    authorise_by: datetime | None
    authorised_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What people have made of a case; `candidates` are in the order of their numbers."""

    candidates: tuple[Candidate, ...]

    @property
    def decided(self) -> bool:
        """Whether people have said all they will.

        Never where nobody was found: who searched would learn at once, before anybody has looked,
        which of their searches found somebody.
        """
        return bool(self.candidates) and all(
            one.standing is not Standing.OPEN for one in self.candidates
        )

    @property
    def confirmed_ids(self) -> tuple[UUID, ...]:
        """The references or subjects that people confirmed, the most alike first."""
        ranked = sorted(self.candidates, key=lambda one: one.rank)
        return tuple(one.id for one in ranked if one.standing is Standing.CONFIRMED)
