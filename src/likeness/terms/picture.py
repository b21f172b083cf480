"""A picture and the faces in it: where each is, how it is turned, how good it looks."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

# Two looks at one face of one picture have boxes that share this much of what they cover.
_ONE_FACE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded sample, upright, in sRGB order.

    `pixels` is (h, w, 3) uint8 RGB. It may hold fewer pixels than the picture as encoded (a large
    JPEG decoded at a reduced scale); `width` and `height` are those of the whole picture, and
    every box and landmark that Likeness reports is in that full frame: pixels, origin top left,
    x to the right, y down. `scale_xy` is pixels held per pixel of the full frame, along x and y:
    1.0 when nothing was reduced.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale_xy: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        """Work the scale out once: every step asks for it."""
        scale_xy = self.pixels.shape[1] / self.width, self.pixels.shape[0] / self.height
        object.__setattr__(self, "scale_xy", scale_xy)

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "Image":
        """Wrap (h, w, 3) uint8 RGB pixels that are the whole picture."""
        return cls(pixels, pixels.shape[1], pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the full frame, in pixels; the first pixel reaches from 0 to 1."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the full frame, in pixels; it may reach beyond the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def overlap(self, other: "Box") -> float:
        """Give the share of what two boxes cover that both cover, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        covered = self.area + other.area - shared
        return shared / covered if covered > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points of a face; left and right are the picture's where the face is upright.

    They stay with the face however it is turned, and are not the subject's.
    """

    eye_left: Point
    eye_right: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point

    @property
    def points(self) -> tuple[Point, ...]:
        """All five, in the order in which they are named."""
        return self.eye_left, self.eye_right, self.nose, self.mouth_left, self.mouth_right


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, in degrees, -180 to 180, zero when it looks at the camera upright.

    `yaw` is positive when the face turns towards the picture's right, `pitch` when it looks up,
    `roll` when it is turned clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


class QualityReason(StrEnum):
    """Why a face is not fit to enrol, in the words that Rekognition's users know."""

    EXTREME_POSE = "EXTREME_POSE"
    LOW_BRIGHTNESS = "LOW_BRIGHTNESS"
    LOW_SHARPNESS = "LOW_SHARPNESS"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    SMALL_BOUNDING_BOX = "SMALL_BOUNDING_BOX"
    LOW_FACE_QUALITY = "LOW_FACE_QUALITY"


@dataclass(frozen=True, slots=True)
class Quality:
    """How much a picture shows of a face.

    `brightness` and `sharpness` are 0 to 100, higher is brighter or sharper; `size` is the
    shorter side of the face's box in pixels of the full frame; `reasons` is empty when the face
    is fit to enrol.
    """

    brightness: float
    sharpness: float
    size: float
    reasons: tuple[QualityReason, ...] = ()

    @property
    def fit_to_enrol(self) -> bool:
        """Whether nothing speaks against enrolling this face."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Face:
    """A face that a detector found.

    `confidence` is how likely it is a face, 0 to 1: the share of such finds that were, where that
    was measured (`likeness.vision.detections.Curve`), else the detector's own score.
    """

    box: Box
    landmarks: Landmarks
    confidence: float
    pose: Pose
    quality: Quality


@dataclass(frozen=True, slots=True)
class SeenFace:
    """Where a probe comes from: the SHA-256 of a sample, and the place of the face in it."""

    sample_sha256: bytes
    box: Box

    def is_of(self, other: "SeenFace") -> bool:
        """Whether both are one face of one picture, looked at perhaps twice."""
        same = self.sample_sha256 == other.sample_sha256
        return same and self.box.overlap(other.box) >= _ONE_FACE
