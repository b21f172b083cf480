"""Where the bench works: settings apart from the user's own, data, pictures, results."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figure import NotMeasured
from likeness.app import Installation
from likeness.artifacts import Sources, fetch_all
from likeness.artifacts.catalogue import SAMPLES
from likeness.config import Settings, read_settings
from likeness.vision.decode import Sample, inspect

REPOSITORY = Path(__file__).parent.parent
OUT = REPOSITORY / "bench-out"
_DATA = REPOSITORY.parent / "shared" / "data"
_PHOTOGRAPHS = (".jpg", ".jpeg", ".png")


def settings(**chosen: object) -> Settings:
    """Default settings but for those chosen; what a user keeps at home has no part in figures."""
    weights = _DATA / "weights"
    known: dict[str, object] = {"home": OUT / "home", "cache": read_settings().cache}
    if weights.exists():
        known["artifacts"] = str(weights)
    return Settings.model_validate({**known, **chosen})


@cache
def installation() -> Installation:
    """An installation with default settings."""
    return Installation(settings())


def data(name: str) -> Path:
    """The folder of a set of evaluation data.

    Raises:
        NotMeasured: this machine has none.
    """
    folder = _DATA / name
    if not folder.exists():
        raise NotMeasured(f"the evaluation data ../shared/data/{name} are not here")
    return folder


def pictures_in(folder: Path) -> list[Path]:
    """Every picture under a folder, in the order of the paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PHOTOGRAPHS)


def samples() -> list[Path]:
    """The sample photographs, fetched where they are missing."""
    cache_dir = settings().cache
    return fetch_all(SAMPLES, Sources(cache_dir))


def sample_of(pixels: NDArray[np.uint8]) -> Sample:
    """Make a sample of (h, w, 3) RGB pixels that were made here, without loss."""
    encoded, png = cv2.imencode(".png", pixels[:, :, ::-1])
    if not encoded:
        raise NotMeasured("OpenCV does not encode a PNG here")
    return inspect(png.tobytes())
