"""Tracks of known truth, made of stills: looks as a camera of a street has them, and templates.

Each photograph of somebody gives several looks: smaller, turned a little, blurred by movement, in
other light, with noise, and compressed. How large, dark, noisy and compressed they are is drawn for
a person once, as for one camera, and varies a little from look to look.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.embedded import Embedded, finder_of
from bench.portrayed import portrayed
from bench.workplace import sample_of
from likeness.errors import LikenessError
from likeness.service.video.naming import best_shots, fuse
from likeness.terms import Cohort, CohortStatistics, Face, Template, in_parallel
from likeness.video import Look, Shot, goodness_of
from likeness.vision.decode import read_sample

Pixels = NDArray[np.uint8]

LOOKS = 4
"""Looks at each photograph."""
APART_S = 0.5
# About how tall a face is in a picture of LFW, in pixels.
_FACE_PX = 100
_LEAST_PX, _MOST_PX = 36, 120


@dataclass(frozen=True, slots=True)
class Camera:
    """How somebody is seen: the face's height in pixels, and how bad the picture is."""

    face_px: float
    blur: float
    gain: float
    noise: float
    jpeg: int

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "Camera":
        """Draw one."""
        return cls(
            float(np.exp(random.uniform(np.log(_LEAST_PX), np.log(_MOST_PX)))),
            float(random.uniform(0.0, 0.02)),
            float(np.exp(random.normal(0.0, 0.25))),
            float(random.uniform(1.0, 6.0)),
            int(random.integers(40, 90)),
        )

    def look(self, still: Pixels, random: np.random.Generator) -> Pixels:
        """Give a still as the camera sees it at some moment."""
        scale = self.face_px * random.uniform(0.85, 1.15) / _FACE_PX
        height, width = still.shape[:2]
        size = max(32, round(width * scale)), max(32, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(_turned(still, random.normal(0.0, 4.0)), size, interpolation=way)
        face_px = scale * _FACE_PX
        seen = cv2.GaussianBlur(seen, (0, 0), 0.3 + self.blur * face_px)
        seen = _moved(
            np.asarray(seen, np.uint8),
            abs(random.normal(0.0, 0.03)) * face_px,
            random.uniform(0, np.pi),
        )
        lit = seen * self.gain * random.uniform(0.9, 1.1)
        noisy = np.clip(lit + random.normal(0.0, self.noise, seen.shape), 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1]
        return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Looks at photographs: `photographs` (n,) says of which each is, `faces` what was found.

    `vectors` is (n, d) and `means` (n,) by each recogniser; looks without a face are left out.
    """

    photographs: NDArray[np.intp]
    faces: tuple[Face, ...]
    vectors: dict[str, NDArray[np.float32]]
    means: dict[str, NDArray[np.float64]]

    def shots_of(self, photographs: Sequence[int], recogniser: str) -> list[Shot]:
        """Give the looks at some photographs, half a second apart, as one track has them."""
        rows = [row for each in photographs for row in np.flatnonzero(self.photographs == each)]
        vectors, means = self.vectors[recogniser], self.means[recogniser]
        return [
            Shot(
                Look(place * APART_S, self.faces[row]),
                Template(vectors[row], recogniser, CohortStatistics(float(means[row]), "")),
                b"",
            )
            for place, row in enumerate(rows)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Tracks of people: `looks` are the shots that count, best first; `fused` what they make.

    Tracks without any look count as failed.
    """

    looks: tuple[tuple[Shot, ...], ...]
    fused: Embedded

    @classmethod
    def of(cls, every: Sequence[Sequence[Shot]], cohort: Cohort) -> "Tracks":
        """Choose and fuse as the product does."""
        looks = tuple(tuple(best_shots(shots)) for shots in every)
        return cls(
            looks, _embedded([fuse(some).vector if some else None for some in looks], cohort)
        )

    def best_look(self, cohort: Cohort) -> Embedded:
        """Give the best single look of each."""
        return _embedded([some[0].template.vector if some else None for some in self.looks], cohort)

    def look_scores(self, track: int, references: Embedded) -> NDArray[np.float32]:
        """Score each look of a track with each of n references: (looks, n)."""
        looks = self.looks[track]
        vectors = np.stack([one.template.vector for one in looks])
        means = np.array([one.template.cohort.mean for one in looks], np.float32)
        failed = np.zeros(len(looks), np.bool_)
        return Embedded(vectors, means, failed).scores_with(references)

    def weights(self, track: int) -> NDArray[np.float64]:
        """Say how much each look of a track weighs."""
        return np.array([goodness_of(one.look.face) for one in self.looks[track]])


def looks_at(
    photographs: Sequence[Path],
    people: Sequence[int],
    recognisers: Sequence[str],
    *,
    padding: int = 0,
    looks: int = LOOKS,
    seed: int = 0,
) -> Looks:
    """Make looks at every photograph, of whom `people` numbers."""
    finders = [finder_of(name) for name in recognisers]
    workers = finders[0][1]

    def seen(number: int) -> list[tuple[int, Face, list[Template]]]:
        camera = Camera.drawn(np.random.default_rng((seed, people[number])))
        random = np.random.default_rng((seed, people[number], number))
        still = read_sample(photographs[number]).decode().pixels
        if padding:
            sides = (padding,) * 4
            still = np.asarray(cv2.copyMakeBorder(still, *sides, cv2.BORDER_REPLICATE), np.uint8)
        return [(number, *one) for one in _found(still, camera, random)]

    def _found(
        still: Pixels, camera: Camera, random: np.random.Generator
    ) -> Iterator[tuple[Face, list[Template]]]:
        for _ in range(looks):
            sample = sample_of(camera.look(still, random))
            try:
                located = finders[0][0].locate(sample)
            except LikenessError:
                continue
            if not located.faces:
                continue
            which = portrayed(located)
            # One detector finds for all of them.
            made = [finder.templates(located, [which])[0] for finder, _ in finders]
            yield located.faces[which], made

    found = [one for some in in_parallel(seen, range(len(photographs)), workers) for one in some]
    return Looks(
        np.array([number for number, _, _ in found], np.intp),
        tuple(face for _, face, _ in found),
        {
            name: np.stack([made[place].vector for _, _, made in found])
            for place, name in enumerate(recognisers)
        },
        {
            name: np.array([made[place].cohort.mean for _, _, made in found])
            for place, name in enumerate(recognisers)
        },
    )


def _embedded(vectors: Sequence[NDArray[np.float32] | None], cohort: Cohort) -> Embedded:
    failed = np.array([vector is None for vector in vectors])
    dimensions = next(len(vector) for vector in vectors if vector is not None)
    whole = np.stack(
        [np.zeros(dimensions, np.float32) if vector is None else vector for vector in vectors]
    )
    return Embedded(whole, cohort.means(whole).astype(np.float32), failed)


def _turned(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _moved(pixels: Pixels, length: float, angle: float) -> Pixels:
    """Blur by a movement of so many pixels."""
    reach = int(np.ceil(length / 2))
    if reach < 1:
        return pixels
    steps = np.linspace(-length / 2, length / 2, 8 * reach + 1)
    kernel = np.zeros((2 * reach + 1,) * 2, np.float32)
    rows = np.rint(reach + steps * np.sin(angle)).astype(int)
    columns = np.rint(reach + steps * np.cos(angle)).astype(int)
    np.add.at(kernel, (rows, columns), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)
