"""How long does vision take of a request, and how many faces does it find? For the operator."""

from collections.abc import Callable, Sequence

from likeness.rekognition.measures import Measures
from likeness.terms import Template
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located


class MeasuredFinder(FaceFinder):
    """A finder that does what another does, and is measured."""

    def __init__(self, finder: FaceFinder, measures: Measures) -> None:
        self._finder = finder
        self._measures = measures

    @property
    def model(self) -> str:
        """What the templates are made with."""
        return self._finder.model

    @property
    def cohort_version(self) -> str:
        """What the templates' scores are evened out by."""
        return self._finder.cohort_version

    @property
    def cohort(self) -> Cohort:
        """What evens the templates' scores out."""
        return self._finder.cohort

    def locate(self, sample: Sample) -> Located:
        """Find every face, largest first, with its pose and its quality."""
        return self._measured(self._finder.locate, sample)

    def locate_largest(self, sample: Sample) -> Located:
        """Find the largest face alone, or none."""
        return self._measured(self._finder.locate_largest, sample)

    def _measured(self, locate: Callable[[Sample], Located], sample: Sample) -> Located:
        with self._measures.stage("locate"):
            located = locate(sample)
        self._measures.found(len(located.faces))
        return located

    def templates(self, located: Located, which: Sequence[int] | None = None) -> list[Template]:
        """Make the templates of the faces with these indices; of all without."""
        with self._measures.stage("embed"):
            return self._finder.templates(located, which)
