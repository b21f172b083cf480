"""What a case is made of, and when people have decided: when as many agree as are owed.

1. As many as are owed say the same: that is what they decided.
2. They differ, or cannot tell: one more person is asked, and no more than one.
3. Agreement is out of reach: undecided, and what is undecided stays withheld.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from likeness.errors import InvalidRequest, required
from likeness.review.faces import ClipFace, SampleFace
from likeness.review.features import Verdict


class Standing(StrEnum):
    """Where a candidate stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


def standing(verdicts: Sequence[Verdict], owed: int) -> Standing:
    """Say where a candidate stands after these verdicts, each of another person."""
    if not owed:
        return Standing.CONFIRMED
    same, not_same = verdicts.count(Verdict.SAME), verdicts.count(Verdict.NOT_SAME)
    if not_same >= owed:
        return Standing.REJECTED
    if same >= owed:
        return Standing.CONFIRMED
    left = owed + 1 - len(verdicts)
    return Standing.OPEN if max(same, not_same) + left >= owed else Standing.UNDECIDED


@dataclass(frozen=True, slots=True)
class Search:
    """What makes two searches the same.

    `parameters` are what else of the call decides its answer. `probe` is a face of a sample, a
    person seen in a clip, or the bytes of the id of what is enrolled.
    """

    principal_id: str
    collection_id: UUID
    operation: str
    purpose: str
    parameters: tuple[tuple[str, str], ...]
    probe: bytes | SampleFace | ClipFace


@dataclass(frozen=True, slots=True)
class Owed:
    """What has to be done: so many reviews, an authorisation within so many hours."""

    reviews: int = 0
    separately: bool = False
    authorisation_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found, before anybody has looked; `reference_id` is None where fused.

    A sighting is somebody seen in a clip whom a watch resembles: there is neither a reference nor a
    subject, and `crop_jpeg` is their picture.
    """

    reference_id: UUID | None
    subject_id: UUID | None
    similarity: float
    sighting_id: UUID | None = None
    crop_jpeg: bytes | None = None

    @property
    def id(self) -> UUID:
        """The reference, the subject where all of theirs were fused, or the sighting."""
        return _id_of(self)

    @property
    def ids(self) -> set[UUID]:
        """The reference, the subject and the sighting, as far as there are such."""
        return _ids_of(self)


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
    sighting_id: UUID | None
    standing: Standing

    @property
    def id(self) -> UUID:
        """The reference, the subject where all of theirs were fused, or the sighting."""
        return _id_of(self)

    @property
    def ids(self) -> set[UUID]:
        """The reference, the subject and the sighting, as far as there are such."""
        return _ids_of(self)


def _id_of(one: Found | Candidate) -> UUID:
    return required(one.reference_id or one.subject_id or one.sighting_id, "whom a case is about")


def _ids_of(one: Found | Candidate) -> set[UUID]:
    ids = (one.reference_id, one.subject_id, one.sighting_id)
    return {each for each in ids if each is not None}


@dataclass(frozen=True, slots=True)
class Case:
    """A search whose answer waits for people; `authorise_by` is None where no authority is owed.

    `whole_id` is the case of the ongoing search that it is a part of, if an authority is to consent
    to that: it ends with it.
    """

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
    whole_id: UUID | None = None

    @property
    def is_of_whole(self) -> bool:
        """Whether it is of an ongoing search as a whole, which only authorities consent to."""
        return not self.reviews


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


LONGEST_STATEMENT = 2000
# Control characters, halves of a character, and what breaks a line.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


def checked_statement(text: str, what: str) -> str:
    """Give a text that can be kept.

    Raises:
        InvalidRequest: it is blank, too long, or holds a control character.
    """
    if not text.strip() or len(text) > LONGEST_STATEMENT:
        raise InvalidRequest(
            f"Not {what}: {len(text)} characters. State it in a sentence or two, at most"
            f" {LONGEST_STATEMENT}."
        )
    for place, character in enumerate(text, 1):
        if unicodedata.category(character) in _FORBIDDEN:
            raise InvalidRequest(
                f"Not {what}: character {place} is U+{ord(character):04X}, a control character."
                " Remove it."
            )
    return text
