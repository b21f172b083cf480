"""Search a collection of the gallery, as `identify` does: what rules let leave, and on record."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from uuid import UUID

from likeness.gallery import By, Gallery
from likeness.service.search.detect_faces import ReadSample
from likeness.service.search.identify import (
    Candidate,
    Found,
    Identification,
    Identified,
    Identifier,
)
from likeness.service.uses.record import Outcome, Record
from likeness.service.uses.withhold import Probe
from likeness.terms import Calibration, SeenFace, Template
from likeness.vision.decode import Sample


@dataclass(frozen=True, slots=True)
class CollectionSearch:
    """One collection, compared with in one way; a `Searched`."""

    gallery: Gallery
    name: str
    by: By

    @property
    def compared(self) -> int:
        """How many references a search compares a probe with, be they fused or not."""
        return self.gallery.collection(self.name).size.references

    @property
    def own_strangers(self) -> Calibration | None:
        """What own scores mean among the collection's strangers, where that was measured."""
        measured = self.gallery.collection(self.name).measured()
        return None if measured is None else measured.own

    def search(
        self,
        probe: Template,
        limit: int,
        seen: SeenFace | None = None,
        among: Sequence[UUID] | None = None,
    ) -> list[Found]:
        """Find at most `limit` candidates, most alike first; raises what `Gallery.search` does.

        Where `among` is given, these references or fused subjects alone are compared with.
        """
        collection = self.gallery.collection(self.name)
        candidates = collection.search(probe, limit, self.by, among=among, seen=seen)
        own_scores = collection.own_scores(probe, candidates)
        unscored: list[float | None] = [None] * len(candidates)
        return [
            Found(
                one.subject.name if one.subject else None,
                one.reference.id if one.reference else None,
                one.comparison,
                one.subject.id if one.subject else None,
                own_score,
            )
            for one, own_score in zip(
                candidates, own_scores if own_scores is not None else unscored, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class RecordedSearch:
    """Names the faces of samples, each sample a use on record that `recorded` begins."""

    identifier: Identifier
    searched: CollectionSearch
    recorded: Callable[[], AbstractContextManager[Record]]

    def identify(self, read: ReadSample) -> Identified:
        """Find every face and whom it is like, as far as the rules in force let that be answered.

        Where people have to look at the candidates of a face first, nobody is named in the whole
        sample until they have; the same search, done again, gives what they confirmed.

        Raises:
            Denied: policy forbids it; then no face was looked for, or nobody is named.
            LikenessError: what reading, finding and searching raise.
        """
        with self.recorded() as record:
            sample = read()
            found = self.identifier.identify(sample)
            released, case_ids, decided = [], list[UUID](), False
            for each in found:
                released.append(self._released(record, sample, each))
                decided |= record.confirmed
                if record.case_id is not None and record.case_id not in case_ids:
                    case_ids.append(record.case_id)
            withheld = record.ended
            if withheld:
                released = [replace(each, candidates=()) for each in released]
            record.answered(_outcome(released))
            return Identified(sample, tuple(released), tuple(case_ids), withheld, decided)

    def _released(self, record: Record, sample: Sample, each: Identification) -> Identification:
        box = each.face.box
        place = (box.left, box.top, box.right, box.bottom)
        # Faces of one sample are told apart by where they are.
        parameters = (
            ("by", str(self.searched.by)),
            ("face", ",".join(f"{side:.0f}" for side in place)),
        )
        probe = Probe(sample, each.face, parameters=parameters)

        seen = SeenFace(hashlib.sha256(sample.data).digest(), each.face.box)

        def among(ids: Sequence[UUID]) -> list[Candidate]:
            found = self.searched.search(each.template, len(ids), seen, ids)
            return [self.identifier.judged(one) for one in found]

        released = record.release(each.candidates, probe, among)
        if record.confirmed:
            agreed = record.confirmed_ids
            released = [
                one.confirmed() if agreed & {one.reference_id, one.subject_id} else one
                for one in released
            ]
        elif not record.ended:
            record.refer([one for one in released if one.verdict.unnamed_because], probe)
        return replace(each, candidates=tuple(released))


def _outcome(answered: list[Identification]) -> Outcome:
    candidates: list[Candidate] = [one for each in answered for one in each.candidates]
    references = (one.reference_id for one in candidates)
    subjects = (one.subject_id for one in candidates)
    return Outcome(
        len(answered),
        len(candidates),
        tuple(dict.fromkeys(one for one in references if one is not None)),
        tuple(dict.fromkeys(one for one in subjects if one is not None)),
    )
