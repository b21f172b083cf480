"""Annotated copies of the pictures that a command was given."""

from collections.abc import Sequence
from pathlib import Path

from likeness.cli.terminal.copies import copies_of
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.standard_input import STANDARD_INPUT
from likeness.terms import Face
from likeness.vision.decode import Sample
from likeness.vision.draw import Mark, annotate
from likeness.vision.encode import picture_bytes

_SUFFIXES = (".jpg", ".jpeg", ".png")


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
            write_output(copy, picture_bytes(marked.pixels, copy.suffix))


def _copies(pictures: Sequence[Path], out: Path) -> dict[Path, Path]:
    return copies_of(
        pictures,
        out,
        kind="picture",
        called="annotated",
        suffixes=_SUFFIXES,
        name_of=_copy_name,
        file_of=lambda picture: None if picture == STANDARD_INPUT else picture,
    )


def _copy_name(picture: Path) -> str:
    if picture == STANDARD_INPUT:
        return "standard-input.jpg"
    kept = picture.suffix.lower() in _SUFFIXES
    return picture.name if kept else f"{picture.name}.jpg"
