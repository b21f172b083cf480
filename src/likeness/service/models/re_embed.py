"""Re-embed: make a collection's templates anew with another model, from the pictures they are of.

Pictures are not kept, so they come again; where crops of faces are kept for review, those may do.

1. A picture is known by its bytes, and a face in it by its place: the face that the new model's
   detector finds there is the reference's. A crop is of one reference, which keeps its place.
2. Templates are staged beside the old ones, which serve until every reference has a new one. What
   is staged stays when this is cut off: the same pictures come again and are not decoded.
3. Whose picture does not come, or shows no face there any more, is reported. The switch waits for
   them, or erases them where that is asked.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict, InputError, InvalidRequest, LikenessError, NoFace, TooBusy
from likeness.gallery import (
    Collection,
    CollectionRows,
    ErasureCertificate,
    FoundAgain,
    OpenCollection,
    Reference,
)
from likeness.review import open_crop, with_crops
from likeness.service.models.re_embed_source import PictureAgain
from likeness.service.uses import Caller, Home, Outcome, Record
from likeness.terms import Action, Box, Face, in_batches, in_parallel
from likeness.vision.decode import DecodeLimits, Sample, inspect
from likeness.vision.draw import box_in_crop
from likeness.vision.find import FaceFinder

# Of one commit, as for enrolment.
_BATCH = 32
_AT_ONCE = 1_000
# The boxes of two detectors around one face share more than this of what they cover together, even
# where one takes in the hair; those around two faces side by side share less.
_LEAST_OVERLAP = 0.35


_NO_CROP = "its picture did not come, and no crop of it is kept"


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What came of one picture: how many references it is, and how many were made anew.

    `error` says why not all were made; a picture that no reference is of has none.
    """

    place: str
    references: int
    made_anew: int
    error: LikenessError | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that has no template of the new model, and why."""

    id: UUID
    subject: str | None
    external_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Attempted:
    """A picture whose templates are made, to be staged."""

    place: str
    references: int
    found: tuple[FoundAgain, ...] = ()
    lost: tuple[Reference, ...] = ()
    error: LikenessError | None = None


@dataclass(frozen=True, slots=True)
class NewModel:
    """The model that a collection moves to; `load` gives what finds and embeds faces with it."""

    name: str
    dimensions: int
    load: Callable[[], FaceFinder]


@contextmanager
def re_embedding(
    home: Home, caller: Caller, name: str, new: NewModel, *, workers: int
) -> Iterator["ReEmbedder"]:
    """Have a use admitted that moves a collection to another model, and recorded when it ends.

    Raises:
        NoSuchCollection: there is none.
        InvalidRequest: it is of that model already.
        NotFound: nobody has calibrated the new model.
        Conflict: another change of it has begun.
    """
    of = home.collection(caller, Action.ENROL, name)
    # Templates of people are made, as in enrolment.
    with home.record(caller, Action.ENROL, of, new.name) as record:
        _require_another_model(of, new.name)  # said before networks are loaded
        finder = new.load()
        # Without it nobody could be named once the collection has moved.
        home.standards.calibration(finder.model, finder.cohort_version)
        work = ReEmbedder(home, of, record, finder, new.dimensions, workers=workers)
        yield work
        if not record.ended:
            record.answered(Outcome(details={"made_anew": str(work.made)}))


class ReEmbedder:
    """Makes the templates of one collection anew, for the model of a finder.

    `made` counts the references that were made anew.
    """

    def __init__(
        self,
        home: Home,
        of: OpenCollection,
        record: Record,
        finder: FaceFinder,
        dimensions: int,
        *,
        workers: int,
    ) -> None:
        """Begin, or go on.

        Args:
            home: what has the collection.
            of: the collection.
            record: of this use.
            finder: what finds and embeds faces with the new model.
            dimensions: how many numbers its vectors have.
            workers: pictures worked on at a time.

        Raises:
            Conflict: another change of it has begun.
        """
        self._home = home
        self._of = of
        self._record = record
        self._finder = finder
        self._workers = workers
        self._reasons: dict[int, str] = {}
        self.made = 0
        self.change = home.database.write(
            lambda connection: of.within(connection).changes.begin(
                home.clock(),
                model=finder.model,
                dimensions=dimensions,
                cohort_version=finder.cohort_version,
            )
        )

    def make_anew(self, pictures: Iterable[PictureAgain]) -> Iterator[PictureResult]:
        """Stage what pictures give and report each, in order, once it is committed.

        Raises:
            Conflict: the change was discarded meanwhile.
            Fault: something broke; what was reported stays, and the rest can come again.
        """
        attempted = in_parallel(self._attempt, pictures, self._workers)
        for batch in in_batches(attempted, _BATCH):
            yield from self._committed(batch)

    def crops(self) -> list[PictureAgain]:
        """List the crops that are kept of references without a template of the new model."""
        listed: list[PictureAgain] = []
        for numbers in self._unstaged():
            waiting = self._of.read(partial(self._with_crop, numbers=numbers))
            listed += [
                PictureAgain(f"crop of {one.id}", partial(self._read_crop, one), one)
                for one in waiting.values()
            ]
            without = [number for number in numbers if number not in waiting]
            self._reasons = dict.fromkeys(without, _NO_CROP) | self._reasons
        return listed

    def missing(self) -> Iterator[Missing]:
        """Say which references have no template of the new model, in the order they came."""
        for numbers in self._unstaged():
            yield from self._of.read(partial(self._named, numbers=numbers))

    def switch(self, leaving_out: Sequence[UUID] = ()) -> list[ErasureCertificate]:
        """Let the new templates take the place of the old, and erase references left out.

        Raises:
            Conflict: a reference has no new template and is not left out; or as for
                `Gallery.finish`, and then the new ones are in place.
        """
        outcome = Outcome(
            reference_ids=tuple(leaving_out),
            forgotten=tuple(leaving_out),
            details={"model": self.change.model, "cohort": self.change.cohort_version},
        )
        return self._home.gallery.switch(
            self.change, leaving_out, lambda act: self._record.write(act, lambda _: outcome)
        )

    def _unstaged(self) -> Iterator[list[int]]:
        """Give the numbers of references without a template of the new model, a page at a time."""
        after = 0
        while numbers := self._of.read(partial(self._page, after=after)):
            yield numbers
            after = numbers[-1]

    def _page(self, its: CollectionRows, after: int) -> list[int]:
        return its.changes.unstaged(self.change, after=after, limit=_AT_ONCE)

    def _attempt(self, picture: PictureAgain) -> _Attempted:
        place = picture.place
        try:
            if picture.reference is not None:
                return self._attempt_crop(picture, picture.reference)
            sample = picture.read(self._home.limits)
            sha256 = hashlib.sha256(sample.data).digest()
            known, waiting = self._of.read(partial(self._known, sample_sha256=sha256))
            if not waiting:
                return _Attempted(place, len(known))
            located = self._finder.locate(sample)
            faces = _found_again(known, located.faces)
            chosen = [reference for reference in waiting if reference.number in faces]
            which = [faces[reference.number] for reference in chosen]
            templates = self._finder.templates(located, which)
            found = tuple(
                FoundAgain(reference, template, located.faces[face])
                for reference, template, face in zip(chosen, templates, which, strict=True)
            )
            lost = tuple(one for one in waiting if one.number not in faces)
            error = _lost(lost, len(located.faces)) if lost else None
            return _Attempted(place, len(known), found, lost, error)
        except (InputError, TooBusy) as error:  # where there was no room, the rest can come again
            return _Attempted(place, 0, error=error)

    def _attempt_crop(self, picture: PictureAgain, reference: Reference) -> _Attempted:
        try:
            sample = picture.read(self._home.limits)
            located = self._finder.locate(sample)
            place = box_in_crop(reference.details.face.box, sample.width, sample.height)
            faces = _pairs([place], located.faces)
            if place not in faces:
                raise _lost([reference], len(located.faces))
            (template,) = self._finder.templates(located, [faces[place]])
        except InputError as error:
            return _Attempted(picture.place, 1, lost=(reference,), error=error)
        # Where it is in its sample, what size and how good, a crop does not tell anew.
        found = FoundAgain(reference, template, reference.details.face)
        return _Attempted(picture.place, 1, (found,))

    def _with_crop(self, rows: CollectionRows, numbers: Sequence[int]) -> dict[int, Reference]:
        """Give those of some references, by number, of which a crop is kept."""
        found = rows.references.by_numbers(numbers)
        ids = [one.id for one in found.values()]
        kept = with_crops(rows.connection, self.change.collection_id, ids)
        return {number: one for number, one in found.items() if one.id in kept}

    def _read_crop(self, reference: Reference, limits: DecodeLimits) -> Sample:
        collection_id, keyring = self.change.collection_id, self._home.keyring
        jpeg = self._home.database.read(
            lambda connection: open_crop(connection, keyring, collection_id, reference.id)
        )
        if jpeg is None:
            raise InvalidRequest("The crop is gone: its reference was erased meanwhile.")
        return inspect(jpeg, limits)

    def _known(
        self, rows: CollectionRows, sample_sha256: bytes
    ) -> tuple[list[Reference], list[Reference]]:
        """Give the references that a sample is, and those of them that are not staged."""
        known = rows.references.of_samples([sample_sha256])
        numbers = rows.changes.waiting(self.change, [one.number for one in known])
        return known, [one for one in known if one.number in numbers]

    def _committed(self, batch: Sequence[_Attempted]) -> list[PictureResult]:
        found = [again for one in batch for again in one.found]
        if found:
            self._home.database.write(
                lambda connection: self._of.within(connection).changes.stage(self.change, found)
            )
        self.made += len(found)
        for one in batch:
            self._reasons |= {reference.number: str(one.error) for reference in one.lost}
        return [
            PictureResult(one.place, one.references, len(one.found), one.error) for one in batch
        ]

    def _named(self, rows: CollectionRows, numbers: Sequence[int]) -> list[Missing]:
        found = rows.references.by_numbers(numbers)
        known = rows.subjects.of(found.values())
        return [
            Missing(
                one.id,
                known[one.subject_number].name if one.subject_number in known else None,
                one.details.external_id,
                self._reasons.get(number, "its picture did not come"),
            )
            for number, one in found.items()
        ]


def discard_change(home: Home, caller: Caller, name: str) -> int:
    """Drop what a collection was to become, whatever change that is; count what was staged.

    Raises:
        NoSuchCollection: there is none.
        Conflict: no change of it has begun, or see `Gallery.finish`.
    """
    of = home.collection(caller, Action.ARRANGE, name)

    def drop(connection: Connection) -> int:
        changes = of.within(connection).changes
        change = changes.find()
        if change is None:
            raise Conflict(f"No change of {name!r} has begun: there is nothing to drop.")
        return changes.discard(change, home.clock())

    with home.record(caller, Action.ARRANGE, of) as record:
        dropped = record.write(drop, lambda count: Outcome(details={"discarded": str(count)}))
        home.gallery.erasing.finish([])
    return dropped


def _require_another_model(of: Collection, model: str) -> None:
    if of.model == model:
        raise InvalidRequest(
            f"{of.name!r} is of {model} already. Choose another with --to, or with --chips."
        )


def _found_again(known: Sequence[Reference], faces: Sequence[Face]) -> dict[int, int]:
    """Give each reference of a sample a face found in it; places that overlap most go first.

    References of one face, under several external ids, have one place.
    """
    pairs = _pairs(dict.fromkeys(reference.details.face.box for reference in known), faces)
    return {
        reference.number: pairs[reference.details.face.box]
        for reference in known
        if reference.details.face.box in pairs
    }


def _pairs(places: Iterable[Box], faces: Sequence[Face]) -> dict[Box, int]:
    """Give places a face each, those that overlap most first; what overlaps little has none."""
    overlaps = sorted(
        (
            (place.overlap(face.box), at, which, place)
            for at, place in enumerate(places)
            for which, face in enumerate(faces)
        ),
        key=lambda one: one[:3],
        reverse=True,
    )
    pairs: dict[Box, int] = {}
    for overlap, _, which, place in overlaps:
        if overlap >= _LEAST_OVERLAP and place not in pairs and which not in pairs.values():
            pairs[place] = which
    return pairs


def _lost(lost: Sequence[Reference], faces: int) -> NoFace:
    return NoFace(
        f"None of the {faces} faces that the new model finds is where reference {lost[0].id} has"
        " one. Enrol another picture, or leave the reference out."
    )
