"""From a sample to its faces and their templates: the whole path, as one sentence each."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoFace
from likeness.terms import Box, Face, Image, Landmarks, Point, Template
from likeness.vision.decode import Sample
from likeness.vision.detect import Detector, SearchDetail
from likeness.vision.detections import Detections, areas, largest
from likeness.vision.embed import ChipLayout, Chips, Recogniser, cut_chips, zoom_needed
from likeness.vision.quality import pose_of, quality_of
from likeness.vision.saliency import Saliency, compute_saliency

# Of the largest area: faces that differ by less are as large, by what a detector's boxes vary.
_NEARLY = 0.9
# Times the area of the next: a face that has it is the one that a picture was taken of.
_STANDS_OUT = 4.0

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Faces of one sample, largest first, and the pixels they were found in.

    `image` has at least the resolution that the faces' chips need, where the sample has it.
    `search` says how closely the sample was searched.
    """

    faces: tuple[Face, ...]
    image: Image
    detections: Detections
    search: SearchDetail

    @property
    def foremost(self) -> int:
        """Index of the face that a picture is taken to be of.

        The *largest* face is strictly the one whose box has the largest area: the first. The
        *foremost* is, of those whose areas are within a tenth of that, the one nearest to the
        middle of the picture: detectors' boxes vary by as much. These two words mean this
        everywhere.

        Raises:
            NoFace: there is none.
        """
        if not self.faces:
            raise NoFace(
                f"No face found ({self.image.width}x{self.image.height} pixels). The face should"
                f" be sharp and at least {self.search.smallest_face} pixels wide."
            )
        return foremost_of(self.detections.boxes_xyxy, self.image.width, self.image.height)

    @property
    def stands_out(self) -> bool:
        """Whether there is a largest face, with four times the area of the next if there is one."""
        largest, second = (*areas(self.detections.boxes_xyxy).tolist(), 0.0, 0.0)[:2]
        return bool(largest > 0 and largest >= _STANDS_OUT * second)


class FaceLocator:
    """Finds the faces of a sample, for a recogniser whose chips have `layout`.

    `likelihood` says how often what the detector found with a score is a face, 0 to 1.
    """

    def __init__(
        self, detector: Detector, layout: ChipLayout, likelihood: Callable[[float], float]
    ) -> None:
        self._detector = detector
        self._layout = layout
        self._likelihood = likelihood

    def locate(self, sample: Sample, most: int | None = None) -> Located:
        """Find every face, largest first, with its pose and its quality.

        Of a crowd `most` bounds how many are looked at closely, the largest: each takes its time.
        """
        if most is None:
            return self._located(sample, self._detector.detect)
        return self._located(sample, lambda image: largest(self._detector.detect(image), most))

    def locate_largest(self, sample: Sample) -> Located:
        """Find the largest face alone, or none: in less time, since it is seen from afar."""
        return self._located(sample, self._detector.detect_largest)

    def locate_in(self, image: Image, least: float | None = None) -> Located:
        """Find every face of a picture that is decoded already, such as a frame of a clip.

        It is searched as `locate` searches a sample; with `least` it is seen among many like it and
        searched once, for faces of at least so many pixels. Their landmarks are then too coarse for
        templates, unless `refined`.
        """
        if least is None:
            found = self._detector.upright(image, self._detector.detect(image))
        else:
            seen = self._detector.detect_once(image, least)
            found = self._detector.upright(image, seen, closely=False)
        return self._described(image, *found, least or 0.0)

    def refined(self, image: Image, faces: Sequence[Face]) -> NDArray[np.float32]:
        """Find the landmarks of faces again that were found in a picture before: (n, 5, 2)."""
        points = [[(point.x, point.y) for point in face.landmarks.points] for face in faces]
        landmarks_xy = np.array(points, np.float32).reshape(-1, 5, 2)
        return self._detector.refined(image, landmarks_xy)

    def _located(self, sample: Sample, detect: Callable[[Image], Detections]) -> Located:
        image = sample.decode(self._detector.settings.longer_side)
        detections, certainties = self._detector.upright(image, detect(image))
        if max(image.scale_xy) < (zoom := zoom_needed(detections.landmarks_xy, self._layout)):
            # Of pictures that are worked on at once, each might wait for what the others hold.
            del image
            image = sample.decode(int(np.ceil(zoom * max(sample.width, sample.height))))
        return self._described(image, detections, certainties)

    def _described(
        self,
        image: Image,
        detections: Detections,
        certainties: NDArray[np.float32],
        least: float = 0.0,
    ) -> Located:
        """Say how each face is shown."""
        landmarks_xy = detections.landmarks_xy
        chips = (cut_chips(image, one[None], self._layout, Chips.ONE)[0, 0] for one in landmarks_xy)
        poses = pose_of(detections.landmarks_xy)
        qualities = quality_of(chips, detections.boxes_xyxy, certainties, poses)
        faces = tuple(
            Face(
                Box(*box),
                Landmarks(*(Point(*point) for point in points)),
                self._likelihood(score),
                pose,
                quality,
            )
            for box, points, score, pose, quality in zip(
                detections.boxes_xyxy.tolist(),
                detections.landmarks_xy.tolist(),
                detections.confidences.tolist(),
                poses,
                qualities,
                strict=True,
            )
        )
        search = self._detector.search_of(image, least)
        return Located(faces, image, detections, search)


@dataclass(frozen=True, slots=True)
class Observer:
    """Times what a finder does, in contexts, and is told how many faces it finds.

    `in_turn` is given a sample and what locates its faces, and does that when its turn has come.
    """

    locating: Callable[[], AbstractContextManager[object]] = nullcontext
    embedding: Callable[[], AbstractContextManager[object]] = nullcontext
    found: Callable[[int], object] = lambda count: None
    in_turn: Callable[[Sample, Callable[[], Located]], Located] = lambda sample, locate: locate()


class FaceFinder:
    """Locates the faces of a sample and makes their templates; safe to share between threads."""

    def __init__(
        self, locator: FaceLocator, recogniser: Recogniser, observer: Observer | None = None
    ) -> None:
        """Make one; `model` and `cohort` say what its templates and their scores depend on."""
        self._locator = locator
        self._recogniser = recogniser
        self._observer = observer or Observer()
        self.model = recogniser.model
        self.layout = recogniser.layout
        self.cohort = recogniser.cohort
        self.cohort_version = recogniser.cohort_version

    def locate(self, sample: Sample, most: int | None = None) -> Located:
        """Find every face, or the `most` largest, largest first, with its pose and its quality."""
        return self._in_turn(partial(self._locator.locate, most=most), sample)

    def locate_in(self, image: Image, least: float | None = None) -> Located:
        """Find every face of a picture that is decoded already (`FaceLocator.locate_in`)."""
        return self._observed(partial(self._locator.locate_in, least=least), image)

    def locate_largest(self, sample: Sample) -> Located:
        """Find the largest face alone, or none: in less time, since it is seen from afar."""
        return self._in_turn(self._locator.locate_largest, sample)

    def templates(self, located: Located, which: Sequence[int] | None = None) -> list[Template]:
        """Make the templates of the faces with these indices; of all without."""
        landmarks_xy = located.detections.landmarks_xy
        chosen = landmarks_xy if which is None else landmarks_xy[list(which)]
        with self._observer.embedding():
            return self._recogniser.embed(located.image, chosen)

    def templates_in(self, image: Image, faces: Sequence[Face]) -> list[Template]:
        """Make the templates of faces that were found in a picture before."""
        with self._observer.embedding():
            return self._recogniser.embed(image, self._locator.refined(image, faces))

    def saliency(self, probe: Located, candidate: Located) -> Saliency:
        """Say which regions make the foremost faces of two samples alike or different.

        Of each face one chip is compared, so that the score is nearly, and not quite, that of their
        templates.

        Raises:
            NoFace: there is none in one of the two.
        """
        chips = self._chip_of(probe), self._chip_of(candidate)
        embed, score = self._recogniser.vectors_of_chips, self._recogniser.scores
        with self._observer.embedding():
            return compute_saliency(*chips, embed, score)

    def _chip_of(self, located: Located) -> NDArray[np.uint8]:
        landmarks_xy = located.detections.landmarks_xy[located.foremost][None]
        chips = cut_chips(located.image, landmarks_xy, self.layout, Chips.ONE)
        return np.asarray(chips[0, 0], np.uint8)

    def observed_by(self, observer: Observer) -> Self:
        """Give a finder that does the same, and is observed."""
        return type(self)(self._locator, self._recogniser, observer)

    def _in_turn(self, locate: Callable[[Sample], Located], sample: Sample) -> Located:
        return self._observer.in_turn(sample, partial(self._observed, locate, sample))

    def _observed(self, locate: Callable[[Seen], Located], seen: Seen) -> Located:
        with self._observer.locating():
            located = locate(seen)
        self._observer.found(len(located.faces))
        return located


def foremost_of(boxes_xyxy: NDArray[np.float32], width: int, height: int) -> int:
    """Say which of (n, 4) boxes in a picture of this size is the foremost (`Located.foremost`)."""
    sizes = areas(boxes_xyxy)
    off_centre = (boxes_xyxy[:, 2:] + boxes_xyxy[:, :2] - (width, height)) / 2
    distances = (off_centre**2).sum(axis=1)
    return int(np.argmin(np.where(sizes >= _NEARLY * sizes.max(), distances, np.inf)))
