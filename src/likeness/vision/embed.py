"""From faces to templates: chips are cut, a network makes vectors, and a cohort evens them out.

A chip is a small upright picture of a face; all are laid out alike. A similarity transform takes
the five landmarks to where the recogniser expects them, least squares (Umeyama, Least-squares
estimation of transformation parameters between two point patterns, 1991).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelMismatch
from likeness.terms import CohortStatistics, Image, Template, relative_scores
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.networks.session import Session

Points = tuple[tuple[float, float], ...]

# Chips computed at a time: enough to fill the processor, few enough to stay in its caches.
_BATCH_CHIPS = 48
# A pixel's centre is half a pixel from its edge. Places are counted from edges, warps from centres.
_HALF_PIXEL = 0.5

# Where dlib's mean shape puts the points in the unit square; a chip has a margin around it.
_DLIB_MEAN_SHAPE = (
    (0.2273, 0.2214),
    (0.7528, 0.2212),
    (0.4901, 0.5156),
    (0.2541, 0.7802),
    (0.7261, 0.7802),
)
_DLIB_MARGIN = 0.25
_DLIB_SIDE = 150
# Detectors mark other spots of a face than dlib's shape does, so chips are cut this much closer.
_DLIB_ZOOM = 1.06
# The reference points of the ArcFace family (insightface, `arcface_src1.py`), in 112 pixels.
_ARCFACE_SHAPE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
# Where Intel's face-reidentification-retail-0095 wants the points, in the unit square of its chip.
_RETAIL_SHAPE = (
    (0.31556875, 0.46157411),
    (0.68262292, 0.46157411),
    (0.50026250, 0.64050536),
    (0.34947188, 0.82469196),
    (0.65343646, 0.82469196),
)
_RETAIL_SIDE = 128


@dataclass(frozen=True, slots=True)
class ChipLayout:
    """Where a recogniser expects the five points: five (x, y) in a chip of `side` pixels."""

    name: str
    side: int
    points_xy: Points


def _of_dlib(place: float) -> float:
    """Take a coordinate from the unit square of the mean shape to a chip."""
    return _DLIB_SIDE * (0.5 + _DLIB_ZOOM * (place - 0.5) / (1 + 2 * _DLIB_MARGIN))


DLIB_LAYOUT = ChipLayout(
    "dlib-closer", _DLIB_SIDE, tuple((_of_dlib(x), _of_dlib(y)) for x, y in _DLIB_MEAN_SHAPE)
)
ARCFACE_LAYOUT = ChipLayout("arcface", 112, _ARCFACE_SHAPE)
RETAIL_LAYOUT = ChipLayout(
    "retail", _RETAIL_SIDE, tuple((_RETAIL_SIDE * x, _RETAIL_SIDE * y) for x, y in _RETAIL_SHAPE)
)


class Chips(Enum):
    """How many chips of one face are averaged into its template; the value says at which scales.

    Each scale is cut once, and with `MIRRORED` and `SIX` once more as seen in a mirror. More chips
    cost more time and make fewer errors, up to a point that `networks.forms` gives for each form.
    """

    ONE = (1.0,)
    MIRRORED = (1.0, -1.0)
    SIX = (0.89, -0.89, 1.0, -1.0, 1.11, -1.11)

    @property
    def count(self) -> int:
        """Chips for each face."""
        return len(self.value)


def cut_chips(
    image: Image, landmarks_xy: NDArray[np.float32], layout: ChipLayout, chips: Chips
) -> NDArray[np.uint8]:
    """Cut the chips of every face.

    Args:
        image: where the faces are.
        landmarks_xy: (n, 5, 2) in the full frame, in the order of `terms.Landmarks`.
        layout: what the recogniser expects.
        chips: how many for each face.

    Returns:
        (n, chips.count, side, side, 3) uint8 RGB; what lies outside the picture is black.
    """
    side = layout.side
    scales = sorted({abs(scale) for scale in chips.value})
    cut = np.empty((len(landmarks_xy), chips.count, side, side, 3), np.uint8)
    for face, points_xy in enumerate(landmarks_xy):
        transform = onto_chip(image, points_xy, layout)
        region, inner = _shrunk_region(image.pixels, transform, side / scales[0])
        by_scale = {scale: _warp(region, _zoom(inner, scale, side), side) for scale in scales}
        for chip, scale in enumerate(chips.value):
            upright = by_scale[abs(scale)]
            cut[face, chip] = upright if scale > 0 else upright[:, ::-1]
    return cut


def onto_chip(
    image: Image, points_xy: NDArray[np.float32], layout: ChipLayout
) -> NDArray[np.float64]:
    """Give the (2, 3) transform from the pixels held of an image to the chip of one face.

    It is between centres of pixels, as warps need it; `points_xy` is (5, 2) in the full frame.
    """
    held_xy = points_xy * np.array(image.scale_xy, np.float32) - _HALF_PIXEL
    return similarity_transform(held_xy, layout.points_xy)


def from_chip(
    image: Image, points_xy: NDArray[np.float32], transform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take (5, 2) points of a chip that `onto_chip` laid out back to the full frame."""
    back = cv2.invertAffineTransform(transform)
    held_xy = (points_xy - _HALF_PIXEL) @ back[:, :2].T + back[:, 2]
    return np.asarray((held_xy + _HALF_PIXEL) / image.scale_xy, np.float64)


def zoom_needed(landmarks_xy: NDArray[np.float32], layout: ChipLayout) -> float:
    """Say at what scale of the full picture, at most 1, no chip of (n, 5, 2) faces loses detail.

    It is a chip's pixels per pixel of the full frame, for the smallest face.
    """
    zooms = (
        float(np.hypot(*similarity_transform(points, layout.points_xy)[:, 0]))
        for points in landmarks_xy
    )
    return min(1.0, max(zooms, default=0.0))


def similarity_transform(
    points_xy: NDArray[np.float32], onto_xy: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """Fit rotation, scale and shift, least squares: (2, 3), takes (x, y, 1) to where it belongs."""
    # A similarity of the plane is one complex product and one sum: w = a z + b.
    z = points_xy[:, 0].astype(np.float64) + 1j * points_xy[:, 1]
    onto = np.asarray(onto_xy, np.float64)
    w = onto[:, 0] + 1j * onto[:, 1]
    centred = z - z.mean()
    # Points that all coincide have no scale; any will do.
    spread = float(np.vdot(centred, centred).real) or 1.0
    a = np.vdot(centred, w - w.mean()) / spread
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _shrunk_region(
    pixels: NDArray[np.uint8], transform: NDArray[np.float64], side: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Cut out what a chip of `side` pixels shows, shrunk where it holds over twice the pixels.

    Interpolation looks at four pixels only, so a large face would be sampled with gaps.
    """
    zoom = float(np.hypot(*transform[:, 0]))
    factor = int(0.5 / zoom) if zoom > 0 else 1
    if factor < 2:
        return pixels, transform
    back = cv2.invertAffineTransform(transform)
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]]) @ back.T
    height, width = pixels.shape[:2]
    left, top = np.clip(np.floor(corners.min(0)).astype(int) - factor, 0, (width, height))
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + factor, 0, (width, height))
    columns, rows = (right - left) // factor, (bottom - top) // factor
    if columns < 1 or rows < 1:
        return pixels, transform
    region = pixels[top : top + rows * factor, left : left + columns * factor]
    shrunk = cv2.resize(region, (int(columns), int(rows)), interpolation=cv2.INTER_AREA)
    # Pixel centres: x = factor * (x' + 1/2) - 1/2 + left.
    shift = np.array([left, top]) + (factor - 1) / 2
    linear = transform[:, :2]
    moved = transform[:, 2] + linear @ shift
    return np.asarray(shrunk, np.uint8), np.column_stack([linear * factor, moved])


def _zoom(transform: NDArray[np.float64], scale: float, side: int) -> NDArray[np.float64]:
    """Enlarge a chip about its centre."""
    centre = side / 2
    zoomed = transform * scale
    zoomed[:, 2] += centre * (1 - scale)
    return zoomed


def _warp(
    pixels: NDArray[np.uint8], transform: NDArray[np.float64], side: int
) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(pixels, transform, (side, side)), np.uint8)


class Embedder:
    """Turns faces into vectors with one network.

    `model` names everything that a vector depends on: recogniser, detector, alignment, chips.
    """

    def __init__(self, network: Session, layout: ChipLayout, chips: Chips, model: str) -> None:
        self._network = network
        self.layout = layout
        self.chips = chips
        self.model = model

    def vectors(self, image: Image, landmarks_xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed n > 0 faces, given (n, 5, 2) landmarks in the full frame: (n, d) of length one.

        The chips' features are averaged, then brought to length one.
        """
        features = np.concatenate(
            [
                self._network.run(chips.reshape(-1, *chips.shape[2:]))[0]
                .reshape(len(chips), self.chips.count, -1)
                .mean(axis=1)
                for chips in self._batches(image, landmarks_xy)
            ]
        )
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / lengths, np.float32)

    def vectors_of_chips(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed (n, side, side, 3) chips, one vector of length one for each: (n, d)."""
        features = self._network.run(chips)[0].reshape(len(chips), -1)
        return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), np.float32)

    def _batches(
        self, image: Image, landmarks_xy: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        faces = max(1, _BATCH_CHIPS // self.chips.count)
        for start in range(0, len(landmarks_xy), faces):
            yield cut_chips(image, landmarks_xy[start : start + faces], self.layout, self.chips)


class Recogniser:
    """Makes templates: an embedder's vectors, evened out against a cohort of its model."""

    def __init__(self, embedder: Embedder, cohort: Cohort) -> None:
        if cohort.model != embedder.model:
            raise ModelMismatch(
                f"This cohort is of {cohort.model}, not of {embedder.model}. Make one with"
                " `likeness models cohort`."
            )
        self._embedder = embedder
        self.cohort = cohort
        self.layout = embedder.layout
        self.model = embedder.model
        self.cohort_version = cohort.version

    def embed(self, image: Image, landmarks_xy: NDArray[np.float32]) -> list[Template]:
        """Make a template of every face, from its (n, 5, 2) landmarks in the full frame."""
        if not len(landmarks_xy):
            return []
        vectors = self._embedder.vectors(image, landmarks_xy)
        means = self.cohort.means(vectors).tolist()
        return [
            Template(vector, self.model, CohortStatistics(mean, self.cohort_version))
            for vector, mean in zip(vectors, means, strict=True)
        ]

    def vectors_of_chips(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed (n, side, side, 3) chips, each by itself: (n, d) of length one."""
        return self._embedder.vectors_of_chips(chips)

    def scores(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score (n, d) vectors with (n, d) others, or with a single one: (n,)."""
        raw = np.einsum("nd,nd->n", a, np.broadcast_to(b, a.shape))
        return relative_scores(raw, self.cohort.means(a), self.cohort.means(b))
