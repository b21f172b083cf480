"""A folder in which a person looks through proposed clusters and names them.

`clusters.csv` is a manifest for `likeness enrol` once its subjects are filled in. Its pictures are
cut out around one face each, because most of those they come from show several people.
"""

import csv
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.cli.terminal.output_file import check_output, unfinished_name
from likeness.cli.terminal.plain_text import plain
from likeness.errors import InvalidRequest, unwritable
from likeness.service.search.cluster import Proposal, UnnamedFace
from likeness.terms import Box, Image, in_parallel
from likeness.vision.decode import Sample
from likeness.vision.encode import picture_bytes

COLUMNS = ("path", "subject", "cluster", "score", "picture", "left", "top", "right", "bottom")
# Of the box, on each side: what a detector wants to see around a face.
_MARGIN = 0.5


def check_folder(folder: Path, sources: Sequence[Path]) -> None:
    """Refuse a place for the folder before the work and not after it.

    Raises:
        InvalidRequest: it holds something already, lies in a source, or cannot be made.
    """
    real = Path(os.path.realpath(folder))
    if any(real.is_relative_to(os.path.realpath(source)) for source in sources):
        raise InvalidRequest(
            f"The folder '{folder}' lies in the pictures, so its faces would be clustered the next"
            " time. Name another."
        )
    if real.exists() and (not real.is_dir() or any(real.iterdir())):
        raise InvalidRequest(f"'{folder}' is not a new or an empty folder. Name another.")
    if not real.exists():
        check_output(real)


def write_folder(
    folder: Path,
    proposal: Proposal,
    read: Callable[[Path], Sample],
    workers: int,
    tell: Callable[[int, int], None],
) -> None:
    """Write the faces of a proposal and their table, all or nothing.

    Args:
        folder: a place that `check_folder` found good.
        proposal: what to write.
        read: reads a picture again, for pictures are not kept while faces are grouped.
        workers: pictures worked on at a time.
        tell: is told how many of how many pictures are done.

    Raises:
        InvalidRequest: the folder cannot be written.
        LikenessError: a picture cannot be read again.
    """
    rows = list(_rows(proposal))
    of_picture: dict[Path, list[_Row]] = defaultdict(list)
    for row in rows:
        of_picture[row.unnamed.picture].append(row)
    with _written_whole(folder) as unfinished:
        for place in {(unfinished / row.path).parent for row in rows}:
            place.mkdir(parents=True)

        def cut(picture: Path) -> None:
            image = read(picture).decode()
            for row in of_picture[picture]:
                face = _cut_out(image, row.unnamed.face.box)
                (unfinished / row.path).write_bytes(picture_bytes(face, ".jpg"))

        for done, _ in enumerate(in_parallel(cut, of_picture, workers), start=1):
            tell(done, len(of_picture))
        with (unfinished / "clusters.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(row.values() for row in rows)


@dataclass(frozen=True, slots=True)
class _Row:
    """One face of the table; one that is alone has no cluster and no score."""

    path: str
    cluster: str
    score: str
    unnamed: UnnamedFace

    def values(self) -> tuple[str, ...]:
        """Those of `COLUMNS`."""
        box = self.unnamed.face.box
        sides = (f"{side:.0f}" for side in (box.left, box.top, box.right, box.bottom))
        # An absolute path is found from anywhere, and no spreadsheet takes it for a formula.
        picture = plain(self.unnamed.picture.absolute())
        return (self.path, "", self.cluster, self.score, picture, *sides)


def _rows(proposal: Proposal) -> Iterator[_Row]:
    digits = len(str(len(proposal.clusters)))
    for number, likely in enumerate(proposal.clusters, start=1):
        cluster = f"{number:0{digits}}"
        for path, each, fit in zip(
            _names(f"clusters/{cluster}", len(likely.faces)), likely.faces, likely.fits, strict=True
        ):
            yield _Row(path, cluster, f"{fit:.2f}", each)
    for path, each in zip(_names("alone", len(proposal.alone)), proposal.alone, strict=True):
        yield _Row(path, "", "", each)


def _names(folder: str, count: int) -> Iterator[str]:
    """Name so many files so that they sort."""
    return (f"{folder}/{number:0{len(str(count))}}.jpg" for number in range(1, count + 1))


def _cut_out(image: Image, box: Box) -> NDArray[np.uint8]:
    """Cut out what lies in a box of the full frame and around it, as far as the picture goes."""
    x, y = _MARGIN * box.width, _MARGIN * box.height
    left, top = max(0, round(box.left - x)), max(0, round(box.top - y))
    return image.pixels[top : round(box.bottom + y), left : round(box.right + x)]


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes the one that is wanted when all is written."""
    final = Path(os.path.realpath(folder))
    unfinished = unfinished_name(final)
    try:
        unfinished.mkdir(mode=0o700)  # faces of people, for who runs this alone
        try:
            yield unfinished
            unfinished.replace(final)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise unwritable(folder, error, "name another folder") from error
