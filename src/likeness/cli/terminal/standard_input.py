"""A picture on standard input: `-` in a picture's place."""

import sys
from collections.abc import Iterable
from pathlib import Path

from likeness.app import Installation
from likeness.app.installation import path_of
from likeness.errors import InvalidRequest
from likeness.vision.decode import DecodeLimits, Sample, inspect, read_sample

STANDARD_INPUT = Path("-")
_NAME = "'-' (standard input)"


def picture_path(text: str) -> Path:
    """Give the path that an argument names; `./-` is a file of that name, `-` is none.

    Raises:
        InvalidRequest: it is empty.
    """
    path = path_of(text, "a picture")
    return Path.cwd() / path if path == STANDARD_INPUT and text != "-" else path


def check_read_once(pictures: Iterable[Path | None]) -> None:
    """Check that standard input is in the place of one picture at most.

    Raises:
        InvalidRequest: it is in the place of several.
    """
    if sum(picture == STANDARD_INPUT for picture in pictures) > 1:
        raise InvalidRequest(
            "Standard input holds one picture, and - stands for several. Give files for the others."
        )


def sample_of(installation: Installation, picture: Path) -> Sample:
    """Read a picture file, or standard input, and check its header against the limits."""
    return read_picture(picture, installation.limits)


def read_picture(picture: Path, limits: DecodeLimits) -> Sample:
    """Read a picture file or standard input; raises what `read_sample` raises."""
    return _read(limits) if picture == STANDARD_INPUT else read_sample(picture, limits)


def _read(limits: DecodeLimits) -> Sample:
    """Read a picture from standard input, no more than may be."""
    if sys.stdin is None or sys.stdin.isatty():
        raise InvalidRequest(
            f"{_NAME}: no picture comes from a terminal. Send one: `likeness detect - < photo.jpg`."
        )
    try:
        data = sys.stdin.buffer.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:  # a folder, or closed
        raise InvalidRequest(f"{_NAME} cannot be read ({error}). Send a picture.") from error
    return inspect(data, limits, _NAME)
