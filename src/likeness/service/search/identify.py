"""Identify: who of a gallery are the faces in a sample, if anybody?"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from likeness.service.search.naming import Naming, Verdict
from likeness.terms import Calibration, Comparison, Face, OperatingPoint, SeenFace, Template
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found: a subject's name, and which reference, as far as there are such.

    `own_score` is the score among the gallery's own strangers, where they were measured.
    """

    subject: str | None
    reference_id: UUID | None
    comparison: Comparison
    subject_id: UUID | None = None
    own_score: float | None = None


class Searched(Protocol):
    """A gallery that can be searched."""

    @property
    def compared(self) -> int:
        """How many references a search compares a probe with.

        All those of a subject count: the best of five is reached by strangers nearly five times as
        often as one, the five fused into one template twice as often.
        """

    @property
    def own_strangers(self) -> Calibration | None:
        """What own scores mean among the gallery's strangers; None where nobody measured that."""

    def search(self, probe: Template, limit: int, seen: SeenFace | None = None) -> Sequence[Found]:
        """Find at most `limit`, most alike first; what is enrolled of the face `seen` is that."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the gallery whom a face is like.

    `subject` is None where nobody named the reference. `verdict` says what the score means and
    whether it is a match; `expected_false` how many of the references searched score as high, for a
    stranger, by the rate that decides.
    """

    subject: str | None
    reference_id: UUID | None
    comparison: Comparison
    verdict: Verdict
    similarity: float
    expected_false: float
    subject_id: UUID | None = None

    @property
    def match(self) -> bool:
        """Whether the face is called this person's."""
        return self.verdict.match

    def confirmed(self) -> "Candidate":
        """Give the candidate as people confirmed it: a match, whatever rates say."""
        return replace(self, verdict=replace(self.verdict, match=True, unnamed_because=None))

    @property
    def fmr(self) -> float:
        """How often two strangers score as high."""
        return self.verdict.fmr

    @property
    def fmr_interval(self) -> tuple[float, float] | None:
        """The 95% interval of that rate where it is too rare to have been counted."""
        return self.verdict.fmr_interval

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
    `decided` is whether they have.
    """

    sample: Sample
    faces: tuple[Identification, ...]
    case_ids: tuple[UUID, ...] = ()
    withheld: bool = False
    decided: bool = False


class Identifier:
    """Names the faces of samples, from one gallery, at the error rate that its size allows.

    A probe is compared with `compared` references. `naming` says which scores name somebody: those
    that a stranger reaches with a rate of `fpir`, or the stricter at which two strangers are called
    the same with `fmr`.
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
        self.naming = Naming.of(
            calibration, searched.own_strangers, self.compared, fmr=fmr, fpir=fpir
        )

    @property
    def point(self) -> OperatingPoint:
        """The threshold by any strangers."""
        return self.naming.point

    def identify(self, sample: Sample, limit: int = 3) -> tuple[Identification, ...]:
        """Find every face, largest first, and at most `limit` candidates for each."""
        located = self._finder.locate(sample)
        sha256 = hashlib.sha256(sample.data).digest()
        return tuple(
            Identification(face, probe, self.candidates(probe, limit, SeenFace(sha256, face.box)))
            for face, probe in zip(located.faces, self._finder.templates(located), strict=True)
        )

    def candidates(
        self, probe: Template, limit: int = 3, seen: SeenFace | None = None
    ) -> tuple[Candidate, ...]:
        """Find at most `limit` candidates for a face, most alike first."""
        return tuple(self.judged(found) for found in self._searched.search(probe, limit, seen))

    def judged(self, found: Found) -> Candidate:
        """Say what it means that a face is so like somebody."""
        score = found.comparison.score
        verdict = self.naming.verdict(score, found.own_score)
        deciding = max(verdict.fmr, verdict.fmr_at_hand or 0.0)
        return Candidate(
            found.subject,
            found.reference_id,
            found.comparison,
            verdict,
            similarity=self.calibration.similarity(score),
            expected_false=deciding * self.compared,
            subject_id=found.subject_id,
        )
