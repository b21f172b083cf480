"""Enrol: let a collection know people by their pictures, a few or millions.

1. What is told as enrolled is committed, once; the next search finds it.
2. A picture that the collection knows already is not decoded. So enrolment that was cut off goes on
   where it was, when the same pictures come again.
3. A picture that cannot be enrolled is told with the reason and stops nothing, nor does one for
   which there was no room (`TooBusy`), which may come again. Other faults stop all.
4. What is held does not grow with the number of pictures.
5. Every commit is a use of its own, admitted before its pictures are looked at and on record with
   what it enrolled: what stops uses stops enrolment that goes on. The few pictures that are worked
   on ahead wait for the next.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import (
    AlreadyExists,
    InputError,
    InvalidRequest,
    LikenessError,
    QualityTooLow,
    Refused,
    TooBusy,
    required,
)
from likeness.gallery import CollectionRows, NewReference, OpenCollection, Reference
from likeness.service.enrol.named_picture import NamedPicture
from likeness.service.enrol.on_enrolment import Enrolled, ReviewOfEnrolments
from likeness.service.enrol.person_meant import person_meant
from likeness.service.uses.record import Outcome as OnRecord
from likeness.service.uses.record import Record
from likeness.storage import Database
from likeness.terms import in_parallel
from likeness.vision.decode import DecodeLimits, Sample
from likeness.vision.find import FaceFinder

# Of one commit: a second or two of work, which is what kill -9 can lose.
_BATCH = 32


class Outcome(StrEnum):
    """What came of a picture."""

    ENROLLED = "enrolled"
    ALREADY = "already"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one picture: the reference it is, or the reason why it is none.

    `remarks` say what whoever enrolled it should know: that it has other faces, what of the picture
    is lost or guessed.
    """

    picture: NamedPicture
    outcome: Outcome
    reference_id: UUID | None = None
    error: LikenessError | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demands:
    """What a picture has to be.

    `any_quality` takes faces that are not fit to enrol, `foremost` the largest of several; without
    it the largest is taken where it stands out.
    """

    any_quality: bool = False
    foremost: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A picture whose template is made."""

    picture: NamedPicture
    new: NewReference
    crop_jpeg: bytes | None
    remarks: tuple[str, ...]


class Enroller:
    """Enrols into one collection of a gallery that is open."""

    def __init__(
        self,
        database: Database,
        collection: OpenCollection,
        finder: FaceFinder,
        limits: DecodeLimits,
        demands: Demands,
        recorded: Callable[[], AbstractContextManager[Record]],
        reviewing: ReviewOfEnrolments,
        *,
        workers: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the collection.

        Args:
            database: where the gallery's rows are.
            collection: what to enrol into.
            finder: what finds and embeds faces.
            limits: what a picture may cost.
            demands: what a picture has to be.
            recorded: begins the record of a use.
            reviewing: what review needs of who is enrolled.
            workers: pictures worked on at a time.
            clock: says what time it is.
        """
        self._database = database
        self._collection = collection
        self._finder = finder
        self._limits = limits
        self._demands = demands
        self._recorded = recorded
        self._reviewing = reviewing
        self._workers = workers
        self._clock = clock

    def enrol(self, pictures: Iterable[NamedPicture]) -> Iterator[Result]:
        """Enrol pictures and tell of each, in order, once it is committed.

        Raises:
            Denied: policy forbids it, from some batch on; what was told stays.
            ModelMismatch: the collection's templates are another model's than the finder's.
            NotFound: the collection was erased meanwhile.
            Fault: something broke; what was told stays, and the rest can come again.
        """
        ahead = 0  # pictures that are on their way; some are, unless these were the last

        def coming() -> Iterator[NamedPicture]:
            nonlocal ahead
            for picture in pictures:
                ahead += 1
                yield picture

        attempted = in_parallel(self._attempt, coming(), self._workers)
        while True:
            with self._recorded() as record:
                batch = list(islice(attempted, _BATCH))
                results = self._committed(record, batch)
            ahead -= len(batch)
            yield from results
            if not ahead:
                return

    def _attempt(self, picture: NamedPicture) -> "_Ready | Result":
        remarks: tuple[str, ...] = ()
        try:
            sample = picture.read(self._limits)
            remarks = sample.remarks
            sha256 = hashlib.sha256(sample.data).digest()
            known = self._collection.read(lambda rows: _known(rows, picture, sha256))
            if known is not None:
                return known
            return self._ready(picture, sample, sha256)
        except (InputError, Refused, TooBusy) as error:
            return Result(picture, Outcome.REJECTED, error=error, remarks=remarks)

    def _ready(self, picture: NamedPicture, sample: Sample, sha256: bytes) -> _Ready:
        if picture.expires_at is not None and picture.expires_at <= self._clock():
            raise InvalidRequest(
                "The date of expiry has passed. Leave the picture out, or correct the date."
            )
        located = self._finder.locate(sample)
        largest = (
            located.foremost
            if self._demands.foremost
            else person_meant(located, or_else=", or enrol the largest (--foremost)")
        )
        face = located.faces[largest]
        if not face.quality.fit_to_enrol and not self._demands.any_quality:
            raise QualityTooLow(
                f"The face is not fit to enrol ({', '.join(face.quality.reasons)}). Give a better"
                " picture, or enrol any quality (--any-quality)."
            )
        (template,) = self._finder.templates(located, [largest])
        new = NewReference(
            template,
            face,
            sha256,
            (sample.width, sample.height),
            picture.subject,
            picture.external_id,
            picture.expires_at,
        )
        (evened,) = self._collection.evened_out([new])
        crop_jpeg = self._reviewing.crop_of(located.image, face.box)
        faces = len(located.faces)
        others = () if faces == 1 else (f"largest of {faces} faces",)
        return _Ready(picture, evened, crop_jpeg, (*others, *sample.remarks))

    def _committed(self, record: Record, batch: Sequence[_Ready | Result]) -> list[Result]:
        ready = [one for one in batch if isinstance(one, _Ready)]
        if not ready:
            record.answered(OnRecord())
            return [one for one in batch if isinstance(one, Result)]
        enrolled = iter(self._store(record, ready))
        return [next(enrolled) if isinstance(one, _Ready) else one for one in batch]

    def _store(self, record: Record, ready: Sequence[_Ready]) -> list[Result]:
        first: dict[bytes, _Ready] = {}  # the first of each sample, which may have come twice
        for one in ready:
            first.setdefault(one.new.sample_sha256, one)

        def store(connection: Connection) -> tuple[dict[_Ready, Reference], list[Result]]:
            rows, now = self._collection.within(connection), self._clock()
            found = rows.references.of_samples(first)
            known = {one.details.sample_sha256 for one in found}
            fresh = [one for sha256, one in first.items() if sha256 not in known]
            inserted = rows.references.enrol([one.new for one in fresh], now)
            enrolled = dict(zip(fresh, inserted, strict=True))
            self._reviewing.enrolled(
                rows,
                self._collection,
                [
                    Enrolled(one.new, reference, one.crop_jpeg)
                    for one, reference in enrolled.items()
                ],
                use_id=record.use.id,
                now=now,
            )
            return enrolled, [_stored(rows, one, enrolled.get(one)) for one in ready]

        def outcome(stored: tuple[dict[_Ready, Reference], list[Result]]) -> OnRecord:
            reference_ids = tuple(one.id for one in stored[0].values())
            return OnRecord(faces=len(ready), reference_ids=reference_ids)

        enrolled, results = record.write(store, outcome)
        self._collection.follow(enrolled.values())
        return results


def _stored(rows: CollectionRows, one: _Ready, reference: Reference | None) -> Result:
    if reference is not None:
        return Result(one.picture, Outcome.ENROLLED, reference.id, remarks=one.remarks)
    # It was enrolled before, or its twin is now.
    known = _known(rows, one.picture, one.new.sample_sha256)
    return required(known, "the reference that a picture was enrolled as")


def _known(rows: CollectionRows, picture: NamedPicture, sha256: bytes) -> Result | None:
    """Say what the picture is enrolled as already; None where it is not."""
    found = rows.references.of_samples([sha256])
    if not found:
        return None
    subject = rows.subjects.find(picture.subject)
    for reference in found:
        if subject is not None and reference.subject_number == subject.number:
            return Result(picture, Outcome.ALREADY, reference.id)
    error = AlreadyExists(
        f"The same picture is enrolled as another person's, reference {found[0].id}. Find out"
        " whose it is."
    )
    return Result(picture, Outcome.REJECTED, error=error)
