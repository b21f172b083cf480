"""How many faces are found where there are none: photographs without faces, and drawings.

The photographs are scikit-image's, which the bench's own environment has: textures, text, skies, a
cat, machines, tissue. Left out are those that show people, coins with heads on them, and tiny ones.
"""

import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.drawings import KINDS, drawn
from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.peer import python
from bench.workplace import sample_of
from likeness.terms import in_parallel
from likeness.vision.decode import read_sample

Pixels = NDArray[np.uint8]

_OF_EACH = 250
_LEAST_SIDE, _MOST_SIDE = 240, 1600
_LEAST_CROP, _LEAST_PART = 48, 0.25
_PHOTOGRAPHS = (
    "brick.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "logo.png",
    "moon.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "page.png",
    "phantom.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)
_FIND = "import importlib.util as i; print(*i.find_spec('skimage').submodule_search_locations)"


def _false_faces(full: bool) -> Measurement:
    finder = likeness().finder

    def found(number: int) -> tuple[str, int, int]:
        kind, pixels = picture(number)
        faces = finder.locate(sample_of(pixels)).faces
        return kind, len(faces), sum(face.quality.fit_to_enrol for face in faces)

    faces, fit = Counter[str](), 0
    for kind, of_picture, of_them_fit in in_parallel(
        found, range(2 * _OF_EACH), likeness().workers
    ):
        faces[kind] += of_picture
        fit += of_them_fit
    photographed = sum(faces[name] for name in _PHOTOGRAPHS)
    return Measurement(
        faces.total(),
        f"{_OF_EACH} cut from {len(_PHOTOGRAPHS)} photographs of scikit-image that show no face"
        f" (turned, mirrored, {_LEAST_SIDE} to {_MOST_SIDE} px), {_OF_EACH} drawn of {len(KINDS)}"
        " kinds; default settings",
        (
            Beside("photographs", photographed, "faces", f"of {_OF_EACH} pictures"),
            Beside("drawn", faces.total() - photographed, "faces", f"of {_OF_EACH} pictures"),
            Beside("fit", fit, "faces", "of all of them, those that are called fit to enrol"),
            *(Beside(name, count, "faces", "") for name, count in sorted(faces.items()) if count),
        ),
    )


def picture(number: int) -> tuple[str, Pixels]:
    """Make the picture of a number, always the same: what it shows, and (h, w, 3) RGB pixels.

    Raises:
        NotMeasured: scikit-image is missing.
    """
    return _cut(number) if number < _OF_EACH else drawn(number - _OF_EACH)


def _cut(number: int) -> tuple[str, Pixels]:
    """Cut from a photograph, mirror, turn by right angles, and make larger or smaller."""
    random = np.random.default_rng((0, number))
    name = _PHOTOGRAPHS[number % len(_PHOTOGRAPHS)]
    whole = _photograph(name)
    part = random.uniform(_LEAST_PART, 1)
    wide, tall = (max(_LEAST_CROP, round(part * side)) for side in whole.shape[1::-1])
    left = random.integers(max(1, whole.shape[1] - wide + 1))
    top = random.integers(max(1, whole.shape[0] - tall + 1))
    cut = whole[top : top + tall, left : left + wide]
    if random.random() < 0.5:
        cut = cut[:, ::-1]
    # Half of them stay upright.
    cut = np.rot90(cut, max(0, int(random.integers(-2, 4))))
    zoom = np.exp(random.uniform(*np.log((_LEAST_SIDE, _MOST_SIDE)))) / max(cut.shape[:2])
    way = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    return name, np.asarray(cv2.resize(cut, None, fx=zoom, fy=zoom, interpolation=way), np.uint8)


@cache
def _photograph(name: str) -> Pixels:
    return read_sample(_folder() / name).decode().pixels


@cache
def _folder() -> Path:
    printed = subprocess.run([python(), "-c", _FIND], capture_output=True, text=True, check=False)
    if printed.returncode:
        raise NotMeasured(
            "scikit-image, whose photographs this needs, is not in .venv-bench: remove .venv-bench"
            " and run `make bench` again"
        )
    return Path(printed.stdout.strip()) / "data"


# As many as 0.1.0 found in the same pictures: a headlight.
FIGURES = (Figure("false-faces", "faces", at_most(1), _false_faces),)
