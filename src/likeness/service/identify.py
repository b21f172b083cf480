"""Identify: who of a gallery are the faces in a sample, if anybody?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from likeness.terms.calibration import Calibration
from likeness.terms.face import Face
from likeness.terms.template import Comparison, Template
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found: a subject's name, and which reference, as far as there are such."""

    subject: str | None
    reference_id: UUID | None
    comparison: Comparison
    subject_id: UUID | None = None


class Searched(Protocol):
    """A gallery that can be searched."""

    @property
    def compared(self) -> int:
        """How many references a search compares a probe with.

        All those of a subject count: the best of five is reached by strangers nearly five times as
        often as one, the five fused into one template twice as often.
        """

    def search(self, probe: Template, limit: int) -> Sequence[Found]:
        """Find at most `limit`, most alike first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the gallery whom a face is like.

    `subject` is None where nobody named the reference. `fmr` is how often two strangers score as
    high; `expected_false` how many of the references searched would, for a stranger. `match` is
    whether the score reaches the threshold in force; `uncalibrated` whether it reaches the highest
    that was measured where that is not high enough, and so is no match.
    """

    subject: str | None
    reference_id: UUID | None
    comparison: Comparison
    fmr: float
    similarity: float
    expected_false: float
    match: bool
    uncalibrated: bool
    subject_id: UUID | None = None

    @property
    def name(self) -> str:
        """Who it is: the subject's name, or the reference's id where it has none."""
        return str(self.reference_id) if self.subject is None else self.subject


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """One face of the sample, its template, and its candidates, most alike first."""

    face: Face
    template: Template
    candidates: tuple[Candidate, ...]

    @property
    def match(self) -> Candidate | None:
        """The best candidate, if it is a match; nobody is an answer too."""
        return next((best for best in self.candidates[:1] if best.match), None)


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """A sample and its faces, largest first; `case_ids` are of what people decide of it.

    `withheld` is whether nobody is named because they have not: whoever was found, it says so.
    """

    sample: Sample
    faces: tuple[Identification, ...]
    case_ids: tuple[UUID, ...] = ()
    withheld: bool = False


class Identifier:
    """Names the faces of samples, from one gallery, at the error rate that its size allows.

    A probe is compared with `compared` references. `point` is where a stranger is named somebody
    with a rate of `fpir`, or the stricter one where two strangers are called the same with `fmr`.
    """

    def __init__(
        self,
        finder: FaceFinder,
        calibration: Calibration,
        searched: Searched,
        *,
        fmr: float,
        fpir: float,
    ) -> None:
        self._finder = finder
        self._searched = searched
        self.calibration = calibration
        self.compared = searched.compared
        self.point = calibration.point_for_gallery(self.compared, fpir, at_most=fmr)

    def identify(self, sample: Sample, limit: int = 3) -> tuple[Identification, ...]:
        """Find every face, largest first, and at most `limit` candidates for each."""
        located = self._finder.locate(sample)
        return tuple(
            Identification(face, probe, self.candidates(probe, limit))
            for face, probe in zip(located.faces, self._finder.templates(located), strict=True)
        )

    def candidates(self, probe: Template, limit: int = 3) -> tuple[Candidate, ...]:
        """Find at most `limit` candidates for a face, most alike first."""
        return tuple(self.judged(found) for found in self._searched.search(probe, limit))

    def judged(self, found: Found) -> Candidate:
        """Say what it means that a face is so like somebody."""
        score = found.comparison.score
        fmr = self.calibration.fmr(score)
        reached = score >= self.point.threshold
        return Candidate(
            found.subject,
            found.reference_id,
            found.comparison,
            fmr=fmr,
            similarity=self.calibration.similarity(score),
            expected_false=fmr * self.compared,
            match=reached and self.point.calibrated,
            uncalibrated=reached and not self.point.calibrated,
            subject_id=found.subject_id,
        )
