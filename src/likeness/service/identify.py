"""Identify: who of a gallery are the faces in a sample, if anybody?"""

from dataclasses import dataclass

from likeness.service.folder_gallery import FolderGallery
from likeness.terms.calibration import Calibration, OperatingPoint
from likeness.terms.face import Face
from likeness.terms.template import Comparison, Template, compare
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the gallery whom a face is like.

    `fmr` is how often two strangers score as high; `expected_false` how many strangers of a gallery
    of this size would; `match` is whether the score reaches the threshold in force.
    """

    subject: str
    comparison: Comparison
    fmr: float
    similarity: float
    expected_false: float
    match: bool


@dataclass(frozen=True, slots=True)
class Identification:
    """One face of the sample and its candidates, most alike first."""

    face: Face
    candidates: tuple[Candidate, ...]

    @property
    def match(self) -> Candidate | None:
        """The best candidate, if it is a match; nobody is an answer too."""
        best = self.candidates[0]
        return best if best.match else None


class Identifier:
    """Names the faces of samples, from one gallery, at one operating point."""

    def __init__(
        self,
        finder: FaceFinder,
        calibration: Calibration,
        gallery: FolderGallery,
        point: OperatingPoint,
    ) -> None:
        self._finder = finder
        self._calibration = calibration
        self._gallery = gallery
        self.point = point

    def identify(self, sample: Sample, limit: int = 3) -> tuple[Identification, ...]:
        """Find every face, largest first, and at most `limit` candidates for each."""
        located = self._finder.locate(sample)
        return tuple(
            Identification(face, self.candidates(probe, limit))
            for face, probe in zip(located.faces, self._finder.templates(located), strict=True)
        )

    def candidates(self, probe: Template, limit: int = 3) -> tuple[Candidate, ...]:
        """Find at most `limit` subjects that a face is like, most alike first."""
        best: dict[str, Comparison] = {}
        for reference in self._gallery.references:
            comparison = compare(reference.template, probe)
            known = best.get(reference.subject)
            if known is None or comparison.score > known.score:
                best[reference.subject] = comparison
        ranked = sorted(best.items(), key=lambda named: -named[1].score)[:limit]
        return tuple(self._candidate(subject, comparison) for subject, comparison in ranked)

    def _candidate(self, subject: str, comparison: Comparison) -> Candidate:
        fmr = self._calibration.fmr(comparison.score)
        return Candidate(
            subject,
            comparison,
            fmr=fmr,
            similarity=self._calibration.similarity(comparison.score),
            expected_false=fmr * len(self._gallery.subjects),
            match=self.point.calibrated and comparison.score >= self.point.threshold,
        )
