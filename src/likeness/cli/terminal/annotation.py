"""Annotated copies of the pictures that a command was given."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.standard_input import STANDARD_INPUT
from likeness.errors import InvalidRequest
from likeness.terms import Face
from likeness.vision.decode import Sample
from likeness.vision.draw import Mark, annotate

_SUFFIXES = (".jpg", ".jpeg", ".png")
_JPEG_QUALITY = 92


class Annotations:
    """Writes an annotated copy of each picture to `out`, a file or a folder; none without it.

    Raises:
        InvalidRequest: a copy cannot be written, would replace a picture, or shares its name with
            another.
    """

    def __init__(self, pictures: Sequence[Path], out: Path | None) -> None:
        self._copies = {} if out is None else _copies(pictures, out)
        for copy in self._copies.values():
            check_output(copy)

    def write(
        self,
        picture: Path,
        sample: Sample,
        faces: Sequence[Face],
        labels: Sequence[str],
        marks: Sequence[Mark] | None = None,
    ) -> None:
        """Write the copy of one picture, each face with its label, in its mark's colour."""
        if picture in self._copies:
            copy = self._copies[picture]
            marked = annotate(sample.decode(), faces, labels, marks)
            write_output(copy, encoded(marked.pixels, copy.suffix))


def encoded(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    """Encode (h, w, 3) RGB pixels as a file of that suffix holds them."""
    # OpenCV warns on stderr of a setting that a format does not have.
    png = suffix.lower() == ".png"
    settings = [] if png else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, content = cv2.imencode(suffix.lower(), pixels[..., ::-1], settings)
    return bytes(content)


def _copies(pictures: Sequence[Path], out: Path) -> dict[Path, Path]:
    if len(pictures) == 1 and not out.is_dir():
        if out.suffix.lower() not in _SUFFIXES:
            raise InvalidRequest(
                f"'{out}' is no name for a picture. Give one that ends in .jpg or .png."
            )
        copies = {pictures[0]: out}
    elif not out.is_dir():
        raise InvalidRequest(
            f"'{out}' is no folder, and annotated copies of several pictures need one. Make it."
        )
    else:
        copies = {picture: out / _copy_name(picture) for picture in pictures}
    if len(set(copies.values())) < len(copies):
        raise InvalidRequest(
            "Several pictures have the same name, and their copies would lie in one folder."
            " Annotate them one at a time."
        )
    if any(_same_file(copy, picture) for copy in copies.values() for picture in pictures):
        raise InvalidRequest(
            f"'{out}' would replace a picture by its annotated copy. Name another place."
        )
    return copies


def _same_file(copy: Path, picture: Path) -> bool:
    return (
        picture != STANDARD_INPUT and copy.exists() and picture.exists() and copy.samefile(picture)
    )


def _copy_name(picture: Path) -> str:
    if picture == STANDARD_INPUT:
        return "standard-input.jpg"
    kept = picture.suffix.lower() in _SUFFIXES
    return picture.name if kept else f"{picture.name}.jpg"
