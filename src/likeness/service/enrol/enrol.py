"""Enrol: let a collection know people by their pictures, a few or millions.

1. What is reported as enrolled is committed, once; the next search finds it.
2. A picture that the collection knows already is not decoded. So enrolment that was cut off goes on
   where it was, when the same pictures come again.
3. A picture that cannot be enrolled is reported with the reason and stops nothing, nor does one for
   which there was no room (`TooBusy`), which may come again. Other faults stop all.
4. Memory does not grow with the number of pictures.
5. Of a person's pictures those are rejected that look like none of the others, unless they are
   asked for; who looks like somebody of another name is enrolled with a remark.
6. Every commit is a use of its own, admitted before its pictures are looked at and on record with
   what it enrolled: what stops uses stops enrolment that goes on. The few pictures that are worked
   on ahead wait for the next.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import TextIO
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
    Unlike,
    required,
)
from likeness.gallery import CollectionRows, NewReference, Reference
from likeness.service.enrol.csv_rows import as_text
from likeness.service.enrol.enrolled_looks import MOST_COMPARED, alike_from, templates_of
from likeness.service.enrol.look_alikes import look_alikes
from likeness.service.enrol.review import NewFace
from likeness.service.enrol.sources import NamedPicture, person_meant
from likeness.service.enrol.unlike import unlike_the_rest
from likeness.service.uses import Caller, Home, Record, use_in
from likeness.service.uses import Outcome as OnRecord
from likeness.terms import Action, Template, in_parallel
from likeness.vision.decode import Sample

COLUMNS = ("path", "outcome", "reason", "subject", "reference_id", "remarks")
"""What a report says of each picture."""
# Of one commit: a second or two of work, which is what kill -9 can lose.
_BATCH = 32
_UNLIKE = "looks like none of the person's other pictures"


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

    `any_quality` takes faces that are not fit to enrol, `foremost` the foremost of several;
    without it that is taken where the largest stands out. `unlike` takes faces that look like none
    of the person's others.
    """

    any_quality: bool = False
    foremost: bool = False
    unlike: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A picture whose template is made."""

    picture: NamedPicture
    face: NewFace
    remarks: tuple[str, ...]

    @property
    def sha256(self) -> bytes:
        """The digest of its bytes."""
        return self.face.new.sample_sha256


class Enroller:
    """Enrols pictures into one collection of a home, each batch a use of one caller's."""

    def __init__(
        self, home: Home, caller: Caller, name: str, demands: Demands, *, workers: int
    ) -> None:
        """Find the collection, and load what finds and embeds faces with its model.

        Args:
            home: what has the collection.
            caller: who enrols.
            name: the collection's.
            demands: what a picture has to be.
            workers: pictures worked on at a time.

        Raises:
            NoSuchCollection: there is none.
            Conflict: its model or cohort cannot be had here.
        """
        self._home = home
        self._caller = caller
        self._demands = demands
        self._workers = workers
        self._finder = home.load_finder(home.collection(caller, Action.ENROL, name))
        # Another cohort may even it out by now.
        self._of = home.collection(caller, Action.ENROL, name)

    def enrol(self, pictures: Iterable[NamedPicture]) -> Iterator[Result]:
        """Enrol pictures and report each, in order, once it is committed.

        Raises:
            Denied: policy forbids it, from some batch on; what was reported stays.
            ModelMismatch: the collection's templates are another model's than the finder's.
            NotFound: the collection was erased meanwhile.
            Fault: something broke; what was reported stays, and the rest can come again.
        """
        ahead = 0  # pictures that are on their way; some are, unless these were the last

        def coming() -> Iterator[NamedPicture]:
            nonlocal ahead
            for picture in pictures:
                ahead += 1
                yield picture

        attempted = _Batches(in_parallel(self._attempt, coming(), self._workers))
        while True:
            # Tags may have changed since the last batch.
            tagged = self._of.read(lambda its: its.tags.all())
            use = use_in(self._caller.use(Action.ENROL), self._of.id, tagged, self._of.model)
            with self._home.record_use(self._caller, use) as record:
                batch = attempted.take()
                results = self._committed(record, batch)
            ahead -= len(batch)
            yield from results
            if not ahead:
                return

    def _attempt(self, picture: NamedPicture) -> "_Ready | Result":
        remarks: tuple[str, ...] = ()
        try:
            sample = picture.read(self._home.limits)
            remarks = sample.remarks
            sha256 = hashlib.sha256(sample.data).digest()
            known = self._of.read(lambda its: _known(its, picture, sha256))
            return self._ready(picture, sample, sha256) if known is None else known
        except (InputError, Refused, TooBusy) as error:
            return Result(picture, Outcome.REJECTED, error=error, remarks=remarks)

    def _ready(self, picture: NamedPicture, sample: Sample, sha256: bytes) -> _Ready:
        if picture.expires_at is not None and picture.expires_at <= self._home.clock():
            raise InvalidRequest(
                "The date of expiry has passed. Leave the picture out, or correct the date."
            )
        located = self._finder.locate(sample)
        foremost = (
            located.foremost
            if self._demands.foremost
            else person_meant(located, or_else=", or enrol the largest (--foremost)")
        )
        face = located.faces[foremost]
        if not face.quality.fit_to_enrol and not self._demands.any_quality:
            raise QualityTooLow(
                f"The face is not fit to enrol ({', '.join(face.quality.reasons)}). Give a better"
                " picture, or enrol any quality (--any-quality)."
            )
        (template,) = self._finder.templates(located, [foremost])
        made = NewReference(
            template,
            face,
            sha256,
            (sample.width, sample.height),
            picture.subject,
            picture.external_id,
            picture.expires_at,
        )
        (new_face,) = self._home.reviewing.faces(self._of, located.image, [made])
        faces = len(located.faces)
        others = () if faces == 1 else (f"largest of {faces} faces",)
        return _Ready(picture, new_face, (*others, *sample.remarks))

    def _committed(self, record: Record, batch: Sequence[_Ready | Result]) -> list[Result]:
        wanted = self._without_unlike(batch)
        ready = [one for one in wanted if isinstance(one, _Ready)]
        if not ready:
            record.answered(OnRecord())
            return [one for one in wanted if isinstance(one, Result)]
        enrolled = iter(self._store(record, ready))
        return [next(enrolled) if isinstance(one, _Ready) else one for one in wanted]

    def _without_unlike(self, batch: Sequence[_Ready | Result]) -> list[_Ready | Result]:
        """Reject those that look like none of the person's others, or remark on it where wanted."""
        ready = [one for one in batch if isinstance(one, _Ready)]
        alike = alike_from(self._home, self._of) if ready else None
        if alike is None:
            return list(batch)
        unlike: set[int] = set()
        for subject in dict.fromkeys(one.picture.subject for one in ready):
            theirs = [one for one in ready if one.picture.subject == subject]
            known = self._of.read(partial(self._templates, subject=subject))
            new = [one.face.new.template for one in theirs]
            strays = unlike_the_rest(known, new, alike)
            unlike |= {id(one) for one, stray in zip(theirs, strays, strict=True) if stray}
        return [self._told_unlike(one) if id(one) in unlike else one for one in batch]

    def _templates(self, its: CollectionRows, subject: str) -> list[Template]:
        known = its.subjects.find(subject)
        if known is None:
            return []
        first = its.references.page(subject_number=known.number, limit=MOST_COMPARED)
        return templates_of(self._of, its, first)

    def _told_unlike(self, one: "_Ready | Result") -> "_Ready | Result":
        if isinstance(one, Result):
            return one
        if self._demands.unlike:
            return replace(one, remarks=(*one.remarks, _UNLIKE))
        error = Unlike(
            "The face looks like none of the person's other pictures. See whose it is, or enrol it"
            " all the same (--unlike)."
        )
        return Result(one.picture, Outcome.REJECTED, error=error, remarks=one.remarks)

    def _store(self, record: Record, ready: Sequence[_Ready]) -> list[Result]:
        home = self._home

        def store(connection: Connection) -> tuple[dict[_Ready, Reference], list[Result]]:
            its = self._of.within(connection)
            found = its.references.of_samples({one.sha256 for one in ready})
            known = {one.details.sample_sha256 for one in found}
            first: dict[bytes, _Ready] = {}  # of each sample, which may have come twice
            for one in ready:
                if one.sha256 not in known:
                    first.setdefault(one.sha256, one)
            now, fresh = home.clock(), list(first.values())
            inserted = its.references.enrol([one.face.new for one in fresh], now)
            enrolled = dict(zip(fresh, inserted, strict=True))
            home.reviewing.keep(
                its,
                self._of,
                [(one.face, reference) for one, reference in enrolled.items()],
                use=record.use,
                now=now,
            )
            return enrolled, [_stored(its, one, enrolled.get(one)) for one in ready]

        def outcome(stored: tuple[dict[_Ready, Reference], list[Result]]) -> OnRecord:
            ids = tuple(one.id for one in stored[0].values())
            return OnRecord(faces=len(ready), reference_ids=ids)

        enrolled, results = record.write(store, outcome)
        self._of.follow(enrolled.values())
        known_too = look_alikes(
            home,
            self._caller,
            self._of,
            record,
            [(reference, one.face.new.template) for one, reference in enrolled.items()],
        )
        said = {one.reference.id: one.remark for one in known_too.values()}
        return [
            replace(one, remarks=(*one.remarks, said[one.reference_id]))
            if one.reference_id in said and one.outcome is Outcome.ENROLLED
            else one
            for one in results
        ]


class _Batches:
    """What was attempted, in batches that end with the last of a person's pictures where it can.

    So it is seen which of them look like none of the others, whichever came first.
    """

    def __init__(self, attempted: Iterator[_Ready | Result]) -> None:
        self._attempted = attempted
        self._next: list[_Ready | Result] = []

    def take(self) -> list[_Ready | Result]:
        """Take the next."""
        taken = self._next + list(islice(self._attempted, _BATCH - len(self._next)))
        self._next = []
        while _BATCH <= len(taken) < 2 * _BATCH:
            further = next(self._attempted, None)
            if further is None:
                break
            if further.picture.subject != taken[-1].picture.subject:
                self._next = [further]
                break
            taken.append(further)
        return taken


def _stored(its: CollectionRows, one: _Ready, reference: Reference | None) -> Result:
    if reference is not None:
        return Result(one.picture, Outcome.ENROLLED, reference.id, remarks=one.remarks)
    # It was enrolled before, or its twin is now.
    known = _known(its, one.picture, one.sha256)
    return required(known, "the reference that a picture was enrolled as")


def _known(its: CollectionRows, picture: NamedPicture, sha256: bytes) -> Result | None:
    """Say what the picture is enrolled as already; None where it is not."""
    found = its.references.of_samples([sha256])
    if not found:
        return None
    subject = its.subjects.find(picture.subject)
    for reference in found:
        if subject is not None and reference.subject_number == subject.number:
            return Result(picture, Outcome.ALREADY, reference.id)
    error = AlreadyExists(
        f"The same picture is enrolled as another person's, reference {found[0].id}. Find out"
        " whose it is."
    )
    return Result(picture, Outcome.REJECTED, error=error)


def reported(results: Iterable[Result], file: TextIO) -> Iterator[Result]:
    """Pass every result on once its row is written."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        writer.writerow(map(as_text, row_of(result).values()))
        yield result


def row_of(result: Result) -> dict[str, str]:
    """Give the values of `COLUMNS`; what there is none of is empty."""
    values = (
        result.picture.place,
        result.outcome,
        "" if result.error is None else str(result.error),
        result.picture.subject,
        str(result.reference_id or ""),
        "; ".join(result.remarks),
    )
    return dict(zip(COLUMNS, values, strict=True))
