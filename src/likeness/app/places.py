"""Paths of files and folders, as whoever calls the library gives them."""

import os
from os import PathLike
from pathlib import Path

from likeness.errors import InvalidRequest

Place = str | PathLike[str]


def path_of(place: object, what: str) -> Path:
    """Give the path of what is meant, such as `a picture`.

    Raises:
        InvalidRequest: it is no path, or an empty one.
    """
    name = os.fspath(place) if isinstance(place, str | PathLike) else None
    if not isinstance(name, str):
        raise InvalidRequest(
            f"Not the path of {what}: {type(place).__name__} was given. Give a str or a Path."
        )
    if not name:
        raise InvalidRequest(f"The path of {what} is empty. Name one.")
    if "\0" in name:
        raise InvalidRequest(f"{name!r} is no path: it holds a NUL. Give another.")
    return Path(name)
