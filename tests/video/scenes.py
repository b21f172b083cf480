"""Clips without a codec or a model: people as coloured boxes that move over a background.

`Painted` finds them by what the frame says of itself: its number is in its first pixel, and each
person's in the colour of their box.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import (
    Box,
    CohortStatistics,
    Face,
    Image,
    Landmarks,
    Point,
    Pose,
    Quality,
    QualityReason,
    Template,
)
from likeness.video import Frame

WIDTH, HEIGHT = 640, 360
PERSON_STEP = 8

Place = tuple[float, float]


def face_at(x: float, y: float, size: float = 40.0, **changed: object) -> Face:
    """A good face about a middle; `changed` says otherwise: confidence, yaw, sharpness, reasons."""
    half = size / 2
    box = Box(x - half, y - half, x + half, y + half)
    points = [(x - half / 2, y - half / 4), (x + half / 2, y - half / 4), (x, y)]
    points += [(x - half / 2, y + half / 2), (x + half / 2, y + half / 2)]
    known: dict[str, object] = {"confidence": 0.99, "yaw": 0.0, "sharpness": 80.0, "reasons": ()}
    value = {**known, **changed}
    reasons = tuple(QualityReason(str(one)) for one in value["reasons"])  # type: ignore[attr-defined]
    return Face(
        box,
        Landmarks(*(Point(*point) for point in points)),
        float(str(value["confidence"])),
        Pose(float(str(value["yaw"])), 0.0, 0.0),
        Quality(50.0, float(str(value["sharpness"])), size, reasons),
    )


@dataclass(frozen=True)
class Actor:
    """Somebody: where they are at a time (None while out of view), and how they look then."""

    person: int
    at: Callable[[float], Place | None]
    size: float = 40.0
    looks: Callable[[float], dict[str, object]] = lambda time_s: {}


def still(
    x: float, y: float, from_s: float = 0.0, to_s: float = 1e9
) -> Callable[[float], Place | None]:
    """Stay at a place for some time."""
    return lambda time_s: (x, y) if from_s <= time_s < to_s else None


def walk(a: Place, b: Place, from_s: float, to_s: float) -> Callable[[float], Place | None]:
    """Go from a place to another."""

    def at(time_s: float) -> Place | None:
        if not from_s <= time_s < to_s:
            return None
        share = (time_s - from_s) / (to_s - from_s)
        return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])

    return at


def background(seed: int) -> NDArray[np.uint8]:
    """A scene that no other resembles."""
    small = np.random.default_rng(seed).integers(0, 255, (5, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


@dataclass
class Scene:
    """A clip of actors; `shots` are moments from which another background is seen."""

    actors: Sequence[Actor]
    length_s: float
    rate: float = 25.0
    shots: Sequence[float] = ()
    every: int = 1
    truth: dict[int, list[tuple[int, Face]]] = field(default_factory=dict)

    def times(self) -> list[float]:
        return [number / self.rate for number in range(round(self.length_s * self.rate))]

    def frames(self, from_s: float = 0.0) -> Iterator[Frame]:
        """Give its frames; those in front come last in `actors` and hide who is behind."""
        for number, time_s in enumerate(self.times()):
            if time_s >= from_s:
                yield self.frame(number, time_s)

    def frame(self, number: int, time_s: float) -> Frame:
        """Make one frame, and remember who is in it."""
        pixels = background(sum(time_s >= moment for moment in self.shots)).copy()
        seen: list[tuple[int, Face]] = []
        for actor in self.actors:
            if place := actor.at(time_s):
                face = face_at(*place, actor.size, **actor.looks(time_s))
                seen = [one for one in seen if one[1].box.overlap(face.box) < 0.4]
                seen.append((actor.person, face))
                box = face.box
                rows = slice(max(0, int(box.top)), max(0, int(box.bottom)))
                pixels[rows, max(0, int(box.left)) : max(0, int(box.right))] = (
                    actor.person * PERSON_STEP
                )
        thumbnail = cv2.resize(pixels, (64, 36), interpolation=cv2.INTER_AREA)
        pixels[0, 0] = number >> 16, number >> 8 & 255, number & 255
        self.truth[number] = seen
        return Frame(number, time_s, np.asarray(thumbnail, np.uint8), Image.of(pixels))


class Painted:
    """Finds the people of a scene, and makes their templates."""

    def __init__(self, scene: Scene, noise: float = 0.5, dimensions: int = 64) -> None:
        self._scene = scene
        self._noise = noise
        self._dimensions = dimensions
        self.templates_made = 0
        self.looked_at: list[int] = []

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        high, middle, low = image.pixels[0, 0].tolist()
        number = high << 16 | middle << 8 | low
        self.looked_at.append(number)
        return [face for _, face in self._scene.truth[number]]

    def templates(self, image: Image, faces: Sequence[Face]) -> Sequence[Template]:
        return [self._template(image, face.box) for face in faces]

    def crop_jpeg(self, image: Image, box: Box) -> bytes:
        return bytes([self.person_in(image, box)])

    def person_in(self, image: Image, box: Box) -> int:
        """Read whose box it is from the colour in its middle."""
        (scale_x, scale_y), (rows, columns) = image.scale_xy, image.pixels.shape[:2]
        x = min(max(int((box.left + box.right) / 2 * scale_x), 0), columns - 1)
        y = min(max(int((box.top + box.bottom) / 2 * scale_y), 0), rows - 1)
        return round(int(image.pixels[y, x, 0]) / PERSON_STEP)

    def _template(self, image: Image, box: Box) -> Template:
        self.templates_made += 1
        person = self.person_in(image, box)
        noise = np.random.default_rng(self.templates_made).normal(size=self._dimensions)
        return template(person, self._noise * noise, self._dimensions)


def template(
    person: int, noise: NDArray[np.float64] | float = 0.0, dimensions: int = 64
) -> Template:
    """Make a template of somebody; strangers' are about -1 apart."""
    vector = np.random.default_rng([7, person]).normal(size=dimensions) + noise
    return Template(
        (vector / np.linalg.norm(vector)).astype(np.float32), "m", CohortStatistics(0.1, "c")
    )


def without_image(frame: Frame) -> Frame:
    """Give the same frame where only its thumbnail is wanted."""
    return replace(frame, image=None)
