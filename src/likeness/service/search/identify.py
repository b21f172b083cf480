"""What naming the faces of a sample gives, and how the faces of loose pictures are named.

A collection is searched by `search.search_sample`, which is admitted and recorded; a folder of
pictures is a library's work.
"""

from dataclasses import dataclass
from uuid import UUID

from likeness.service.search.faces import faces_in
from likeness.service.search.folder_gallery import FolderGallery
from likeness.service.search.naming import Naming, Verdict
from likeness.terms import Calibration, Comparison, Face, SeenFace, Template
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the gallery whom a face is like.

    `subject` is None where nobody named the reference; `external_id` is what a client called it.
    `verdict` says what the score means and whether it is a match; `expected_false` how many of the
    references searched score as high, for a stranger, by the rate that decides.
    """

    subject: str | None
    reference_id: UUID | None
    comparison: Comparison
    verdict: Verdict
    similarity: float
    expected_false: float
    subject_id: UUID | None = None
    external_id: str | None = None

    @property
    def match(self) -> bool:
        """Whether the face is called this person's."""
        return self.verdict.match

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
    """Names the faces of samples, from one folder, at the error rate that its size allows.

    `naming` says which scores name somebody: those that a stranger reaches with a rate of `fpir`,
    or the stricter at which two strangers are called the same with `fmr`.
    """

    def __init__(
        self,
        finder: FaceFinder,
        calibration: Calibration,
        gallery: FolderGallery,
        *,
        fmr: float,
        fpir: float,
        warn_from: float = 0.0,
    ) -> None:
        self._finder = finder
        self._gallery = gallery
        own, compared = gallery.own_strangers, len(gallery.references)
        self.naming = Naming.of(calibration, own, compared, fmr=fmr, fpir=fpir, warn_from=warn_from)

    def identify(self, sample: Sample, limit: int = 3) -> tuple[Identification, ...]:
        """Find every face, largest first, and at most `limit` candidates for each."""
        located = self._finder.locate(sample)
        return tuple(
            Identification(one.face, one.template, self.candidates(one.template, limit, one.seen))
            for one in faces_in(sample, located, self._finder, range(len(located.faces)))
        )

    def candidates(
        self, probe: Template, limit: int = 3, seen: SeenFace | None = None
    ) -> tuple[Candidate, ...]:
        """Find at most `limit` candidates for a face, most alike first."""
        naming = self.naming
        found = self._gallery.search(probe, limit, seen)
        verdicts = [naming.verdict(one.comparison.score, one.own_score) for one in found]
        return tuple(
            Candidate(
                one.subject,
                None,
                one.comparison,
                verdict,
                naming.calibration.similarity(one.comparison.score),
                naming.expected_of(verdict),
            )
            for one, verdict in zip(found, verdicts, strict=True)
        )
