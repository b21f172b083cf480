"""Clips whose truth is known: heads of LFW View 1 that move over a background.

In each of ten clips five people are seen, fifty in all. In its first ten seconds two of them walk
through each other, two meet and in half of the clips turn back, and one stays. Then the camera cuts
to another background, and three are seen in other photographs than before, where others were. It
cuts back, and all return from the sides, in those photographs, one of them behind a pillar.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.embedded import likeness
from bench.figure import NotMeasured
from bench.portrayed import portrayed
from bench.workplace import data, pictures_in
from likeness.terms import Box, in_parallel
from likeness.vision.decode import read_sample

WIDTH, HEIGHT, RATE = 1280, 720, 25
CLIPS, PEOPLE_EACH = 10, 5
CUTS_S = (10.0, 17.0)
LENGTH_S = 24.0
MEETINGS_EACH = 2
# Of a face's box: how much of a head is cut out, from its middle, and where that ends.
_HEAD_WIDE, _HEAD_HIGH, _UP = 1.5, 1.75, 0.12
_SOFT = 0.85
# A face of which less is seen is neither to be found nor wrong to find.
_SEEN = 0.6
_PILLAR = (600, 700)

Pixels = NDArray[np.uint8]
Place = tuple[float, float]
Path_ = Callable[[float], Place | None]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head cut out of a photograph: (h, w, 4) float32 RGB and how opaque, and its face's box."""

    pixels: NDArray[np.float32]
    box: Box
    photograph: Path


@dataclass(frozen=True, slots=True)
class TrueFace:
    """A face that is in a frame; `seen` is whether enough of it is to be found."""

    person: int
    box: Box
    seen: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One person in one appearance; `at` gives the middle of the face, `size` its width."""

    person: int
    head: Head
    size: float
    at: Path_


@dataclass(frozen=True, slots=True, eq=False)
class ComposedClip:
    """A clip of known truth; who comes later in `parts` is in front."""

    number: int
    parts: Sequence[_Part]

    def times(self) -> list[float]:
        """When its frames are, in seconds."""
        return [number / RATE for number in range(round(LENGTH_S * RATE))]

    def frame(self, time_s: float) -> tuple[Pixels, list[TrueFace]]:
        """Draw a frame; say who is in it."""
        scene = sum(time_s >= cut for cut in CUTS_S) % 2
        canvas = _background(2 * self.number + scene).copy()
        whose = np.full((HEIGHT, WIDTH), -1, np.int16)
        drawn: list[tuple[int, Box]] = []
        for which, part in enumerate(self.parts):
            if place := part.at(time_s):
                turned = 5 * np.sin(1.7 * time_s + part.person)
                light = 1 + 0.12 * np.sin(0.9 * time_s + 2 * part.person)
                box = _draw(canvas, whose, which, part, place, float(turned), float(light))
                drawn.append((which, box))
        if time_s >= CUTS_S[1]:
            canvas[:, _PILLAR[0] : _PILLAR[1]] = (90, 84, 70)
            whose[:, _PILLAR[0] : _PILLAR[1]] = -1
        noise = _noise(round(time_s * RATE) % 8)
        noisy = np.asarray(cv2.add(canvas, noise, dtype=cv2.CV_8U), np.uint8)
        truth = [
            TrueFace(self.parts[which].person, box, _share(whose, which, box) >= _SEEN)
            for which, box in drawn
        ]
        return noisy, truth


def composed_clips() -> Iterator[ComposedClip]:
    """Compose the clips, the same every time.

    Raises:
        NotMeasured: the photographs are not here.
    """
    people = heads_of_people(CLIPS * PEOPLE_EACH)
    for number in range(CLIPS):
        first = number * PEOPLE_EACH
        yield ComposedClip(number, _parts(number, people[first : first + PEOPLE_EACH], first))


def _parts(number: int, people: Sequence[Sequence[Head]], first: int) -> list[_Part]:
    random = np.random.default_rng(number)
    sizes = random.uniform(60, 110, PEOPLE_EACH)
    turn_back = bool(number % 2)
    high, low = random.uniform(150, 220), random.uniform(480, 560)
    met, soon = random.uniform(500, 780), 6.0
    before: list[Path_] = [
        _walk((1240, high + random.uniform(-15, 15)), (40, high), 0, 10),
        _walk((40, high), (1240, high + random.uniform(-15, 15)), 0, 10),
        _there_and_back((met + 420, low), (met + 12, low + 8), soon, 10)
        if turn_back
        else _walk((met + 420, low), (met - 420, low + 8), 0, 10),
        _there_and_back((met - 420, low), (met - 12, low), soon, 10)
        if turn_back
        else _walk((met - 420, low), (met + 420, low), 0, 10),
        _stay((random.uniform(150, 1130), 350), 0, 10),
    ]
    chosen = random.permutation(PEOPLE_EACH)[:3].tolist()
    places = [(640 + random.uniform(-60, 60), 200), (300, low), (900, high + 200)]
    cut, back = CUTS_S
    return [
        *(
            _Part(first + one, people[one][0], float(sizes[one]), at)
            for one, at in enumerate(before)
        ),
        *(
            _Part(first + one, people[one][1], float(sizes[one]), _stay(place, cut, back))
            for one, place in zip(chosen, places, strict=True)
        ),
        *(
            _Part(
                first + one,
                people[one][1],
                float(sizes[one]),
                _walk((side, 120 + 120 * one), (640 + (side - 640) * 0.3, 120 + 120 * one), a, 24)
                if one
                else _walk((-60, 120), (1340, 120), a, 24),
            )
            for one, (side, a) in enumerate(
                zip((-60, 1340, -60, 1340, -60), random.uniform(back, back + 1.5, 5), strict=True)
            )
        ),
    ]


def _walk(a: Place, b: Place, from_s: float, to_s: float) -> Path_:
    def at(time_s: float) -> Place | None:
        if not from_s <= time_s < to_s:
            return None
        share = (time_s - from_s) / (to_s - from_s)
        bob = 4 * np.sin(9 * time_s + a[0])
        return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]) + bob

    return at


def _there_and_back(a: Place, b: Place, turn_s: float, to_s: float) -> Path_:
    there, back = _walk(a, b, 0, turn_s), _walk(b, a, turn_s, to_s)
    return lambda time_s: there(time_s) or back(time_s)


def _stay(place: Place, from_s: float, to_s: float) -> Path_:
    def at(time_s: float) -> Place | None:
        if not from_s <= time_s < to_s:
            return None
        return place[0] + 12 * np.sin(0.8 * time_s), place[1] + 5 * np.sin(1.3 * time_s)

    return at


@cache
def heads_of_people(count: int) -> Sequence[Sequence[Head]]:
    """Cut out two heads each of so many people, from photographs of faces that are fit.

    Raises:
        NotMeasured: the photographs are not here.
    """
    by_name: dict[str, list[Path]] = {}
    for picture in pictures_in(data("lfw_view1") / "images"):
        by_name.setdefault(picture.parent.name, []).append(picture)
    names = sorted(name for name, pictures in by_name.items() if len(pictures) > 1)
    drawn = np.random.default_rng(16).permutation(names)[: 3 * count // 2].tolist()
    cut = in_parallel(_heads, [by_name[name][:3] for name in drawn], likeness().workers)
    people = [heads[:2] for heads in cut if len(heads) > 1][:count]
    if len(people) < count:
        raise NotMeasured("too few people of ../shared/data/lfw_view1 have two good photographs")
    return people


def _heads(pictures: Sequence[Path]) -> list[Head]:
    heads = []
    for picture in pictures:
        located = likeness().finder.locate(read_sample(picture))
        if located.faces and located.faces[which := portrayed(located)].quality.fit_to_enrol:
            heads.append(_head(picture, located.image.pixels, located.faces[which].box))
    return heads


def _head(photograph: Path, pixels: Pixels, box: Box) -> Head:
    middle = np.array([box.left + box.right, box.top + box.bottom]) / 2
    middle[1] -= _UP * box.height
    reach = np.array([_HEAD_WIDE * box.width, _HEAD_HIGH * box.height]) / 2
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    off = np.hypot((x + 0.5 - middle[0]) / reach[0], (y + 0.5 - middle[1]) / reach[1])
    opaque = np.clip((1 - off) / (1 - _SOFT), 0, 1)
    # Only what is seen of it, so that a hundred heads are no burden.
    left, top = (max(0, int(side)) for side in middle - reach)
    right, bottom = (int(side) + 1 for side in middle + reach)
    head = np.dstack([pixels, 255 * opaque])[top:bottom, left:right].astype(np.float32)
    there = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    return Head(head, there, photograph)


def _draw(
    canvas: Pixels,
    whose: NDArray[np.int16],
    which: int,
    part: _Part,
    place: Place,
    turned: float,
    light: float,
) -> Box:
    """Draw a head into a picture, and say where its face is."""
    box = part.head.box
    scale = part.size / box.width
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    turn = cv2.getRotationMatrix2D(middle, turned, scale)
    turn[:, 2] += np.array(place) - middle
    reach = 1.3 * part.size
    left, top = max(0, int(place[0] - reach)), max(0, int(place[1] - 1.3 * reach))
    right, bottom = min(WIDTH, int(place[0] + reach)), min(HEIGHT, int(place[1] + 1.3 * reach))
    if left < right and top < bottom:
        turn[:, 2] -= left, top
        size = right - left, bottom - top
        drawn = cv2.warpAffine(part.head.pixels, turn, size, flags=cv2.INTER_AREA)
        opaque = drawn[..., 3:] / 255
        there = canvas[top:bottom, left:right]
        mixed = there + opaque * (light * drawn[..., :3] - there)
        there[:] = mixed.clip(0, 255).astype(np.uint8)
        whose[top:bottom, left:right][opaque[..., 0] > 0.5] = which
    half = part.size / 2, part.size * box.height / box.width / 2
    return Box(place[0] - half[0], place[1] - half[1], place[0] + half[0], place[1] + half[1])


def _share(whose: NDArray[np.int16], which: int, box: Box) -> float:
    """Say how much of a face is seen: of its box's inner part, which is all face."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    across, down = box.width * 0.35, box.height * 0.35
    rows, columns = np.mgrid[y - down : y + down : 12j, x - across : x + across : 12j]  # type: ignore[misc]
    inside = (rows >= 0) & (rows < HEIGHT) & (columns >= 0) & (columns < WIDTH)
    at = whose[rows.clip(0, HEIGHT - 1).astype(int), columns.clip(0, WIDTH - 1).astype(int)]
    return float(((at == which) & inside).mean())


@cache
def _background(seed: int) -> Pixels:
    """A place that nobody is in: surfaces and detail, as blurred as behind who is in focus."""
    random = np.random.default_rng([5, seed])
    whole = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for side in (3, 6, 12, 40, 90):
        shape = side, side * 16 // 9
        part = random.normal(size=(*shape, 1)) + 0.4 * random.normal(size=(*shape, 3))
        large = cv2.resize(part.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        whole += large / side**0.5
    return np.clip(105 + 35 * whole / whole.std(), 0, 255).astype(np.uint8)


@cache
def _noise(seed: int) -> NDArray[np.int16]:
    random = np.random.default_rng([6, seed])
    small = random.normal(scale=2.0, size=(HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
    large = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.repeat(large.round().astype(np.int16)[..., None], 3, axis=2)
