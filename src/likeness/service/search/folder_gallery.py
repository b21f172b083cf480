"""A gallery made from a folder of pictures: one folder a person, or one file a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from likeness.errors import InvalidRequest, LikenessError
from likeness.evaluation import calibrate_own_strangers
from likeness.service.enrol.sources import files_of_people, person_meant
from likeness.service.enrol.unlike import FMR, unlike_the_rest
from likeness.service.search.faces import faces_in
from likeness.terms import (
    FEWEST_SUBJECTS,
    MOST_SUBJECTS,
    SAME_PICTURE,
    Calibration,
    Cohort,
    Comparison,
    Joining,
    SeenFace,
    Template,
    compare,
    in_parallel,
)
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

# Of one person, so many pictures are held against each other.
_MOST_OF_ONE = 1000


@dataclass(frozen=True, slots=True)
class Reference:
    """One enrolled picture of a subject; `seen` is its face and what the picture's bytes are."""

    subject: str
    path: Path
    template: Template
    seen: SeenFace


@dataclass(frozen=True, slots=True)
class Rejection:
    """A picture that could not be enrolled, and why."""

    path: Path
    error: LikenessError

    @property
    def reason(self) -> str:
        """Say why."""
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found; `own_score` is that among the gallery's strangers, where measured."""

    subject: str
    comparison: Comparison
    own_score: float | None


@dataclass(frozen=True, slots=True)
class OwnStrangers:
    """The gallery's own strangers, as `gallery.own_strangers` knows those of a collection."""

    cohort: Cohort
    joining: Joining
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class FolderGallery:
    """Everybody in the folder; `rejections` are counted, never dropped.

    `unlike` look like none of their person's other pictures, and are searched all the same.
    """

    references: tuple[Reference, ...]
    rejections: tuple[Rejection, ...]
    strangers: OwnStrangers | None = None
    unlike: tuple[Reference, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject's name once, sorted."""
        return tuple(sorted({reference.subject for reference in self.references}))

    @property
    def own_strangers(self) -> Calibration | None:
        """What own scores mean among the gallery's strangers; None where it has too few people."""
        return None if self.strangers is None else self.strangers.calibration

    def with_unlike_found(self, known: Calibration) -> "FolderGallery":
        """Give the gallery as one that knows who looks like none of their person's others."""
        theirs: dict[str, list[Reference]] = {}
        for reference in self.references:
            theirs.setdefault(reference.subject, []).append(reference)
        alike, unlike = known.point(FMR).threshold, list[Reference]()
        for every in theirs.values():
            some = every[:_MOST_OF_ONE]
            strays = unlike_the_rest([], [one.template for one in some], alike)
            unlike += [one for one, stray in zip(some, strays, strict=True) if stray]
        return replace(self, unlike=tuple(unlike))

    def with_strangers_measured(self, cohort: Cohort, known: Calibration) -> "FolderGallery":
        """Give the gallery as one that knows its own strangers, where it has 30 people or more."""
        numbers = {subject: number for number, subject in enumerate(self.subjects, start=1)}
        first: dict[str, Reference] = {}
        for reference in self.references:
            first.setdefault(reference.subject, reference)
        if not len(first) >= FEWEST_SUBJECTS:
            return self
        chosen = list(first.values())[:MOST_SUBJECTS]
        joining = Joining(
            np.arange(len(chosen)),
            np.array([numbers[one.subject] for one in chosen], np.int64),
            np.stack([one.template.vector for one in chosen]),
            known.one_person,
        )
        try:
            own, _ = calibrate_own_strangers(joining, cohort, known)
        except InvalidRequest:  # nearly all of them may be one person
            return self
        return replace(self, strangers=OwnStrangers(cohort, joining, own))

    def search(
        self, probe: Template, limit: int, seen: SeenFace | None = None
    ) -> tuple[Found, ...]:
        """Find at most `limit` subjects that a face is like, each by their best picture.

        Raises:
            ModelMismatch: the probe comes from another model or cohort.
        """
        best: dict[str, tuple[Reference, Comparison]] = {}
        for reference in self.references:
            comparison = (
                SAME_PICTURE
                if seen is not None and seen.is_of(reference.seen)
                else compare(reference.template, probe)
            )
            known = best.get(reference.subject)
            if known is None or comparison.score > known[1].score:
                best[reference.subject] = reference, comparison
        ranked = sorted(best.values(), key=lambda pair: -pair[1].score)[:limit]
        own_scores = self._own_scores(probe, ranked)
        return tuple(
            Found(reference.subject, comparison, own_score)
            for (reference, comparison), own_score in zip(ranked, own_scores, strict=True)
        )

    def _own_scores(
        self, probe: Template, ranked: Sequence[tuple[Reference, Comparison]]
    ) -> Sequence[float | None]:
        if self.strangers is None or not ranked:
            return [None] * len(ranked)
        numbers = {subject: number for number, subject in enumerate(self.subjects, start=1)}
        scores = self.strangers.joining.own_scores(
            self.strangers.cohort,
            probe.vector,
            np.stack([reference.template.vector for reference, _ in ranked]),
            np.array([numbers[reference.subject] for reference, _ in ranked], np.int64),
        )
        return [
            comparison.score if comparison.is_identical else score
            for (_, comparison), score in zip(ranked, scores.tolist(), strict=True)
        ]


def read_gallery(
    folder: Path,
    finder: FaceFinder,
    *,
    limits: DecodeLimits,
    workers: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> FolderGallery:
    """Make a template of every picture in a folder, of its only face or the one that stands out.

    Args:
        folder: `NAME/anything.jpg` for many pictures a person, or `NAME.jpg` for one.
        finder: what finds the faces.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        tell: is told how many of how many pictures are done.

    Raises:
        InvalidRequest: there is no such folder, or no picture in it that can be enrolled.
    """
    pictures = list(files_of_people(folder))

    def enrol(picture: tuple[str, Path]) -> Reference | Rejection:
        subject, path = picture
        try:
            sample = read_sample(path, limits)
            located = finder.locate(sample)
            (face,) = faces_in(sample, located, finder, [person_meant(located)])
            return Reference(subject, path, face.template, face.seen)
        except LikenessError as error:
            return Rejection(path, error)

    enrolled: list[Reference | Rejection] = []
    for result in in_parallel(enrol, pictures, workers):
        enrolled.append(result)
        tell(len(enrolled), len(pictures))
    gallery = FolderGallery(
        tuple(one for one in enrolled if isinstance(one, Reference)),
        tuple(one for one in enrolled if isinstance(one, Rejection)),
    )
    if not gallery.references:
        rejected = [one.reason.rstrip(".") for one in gallery.rejections]
        why = f"of {len(pictures)}; the first: {rejected[0]}" if rejected else "it has none"
        raise InvalidRequest(
            f"No picture of '{folder}' can be enrolled ({why}). Put NAME/picture.jpg or NAME.jpg"
            " into it, with one face each."
        )
    return gallery
