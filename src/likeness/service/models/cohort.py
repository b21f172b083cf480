"""Make cohorts, which even scores out: averages of many people's templates."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, LikenessError
from likeness.service.enrol.sources import is_folder, picture_files
from likeness.service.search.folder_gallery import Rejection
from likeness.terms import in_parallel
from likeness.vision.cohorts.cohort import Cohort, crowds
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.embed import Embedder
from likeness.vision.find import FaceLocator


@dataclass(frozen=True, slots=True, eq=False)
class MadeCohort:
    """A cohort, how many people it averages, and the pictures that were of no use."""

    cohort: Cohort
    people: int
    rejections: tuple[Rejection, ...]


def make_cohort(
    folder: Path,
    locator: FaceLocator,
    embedder: Embedder,
    *,
    limits: DecodeLimits,
    workers: int,
    made_from: str,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> MadeCohort:
    """Average the foremost faces of all pictures in a folder and in the folders inside it.

    The cohort holds nobody's template. Every picture should show another person.

    Args:
        folder: the pictures, however they are sorted.
        locator: what finds faces.
        embedder: what embeds them.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        made_from: whose pictures they are, and under what terms, for whoever uses the cohort.
        tell: is called with how many of how many pictures are done.

    Raises:
        InvalidRequest: there is no such folder, or too few pictures in it have a face.
    """

    def embed(picture: Path) -> NDArray[np.float32] | Rejection:
        try:
            return _vector(picture, locator, embedder, limits)
        except LikenessError as error:
            return Rejection(picture, error)

    pictures = _pictures(folder)
    results: list[NDArray[np.float32] | Rejection] = []
    for result in in_parallel(embed, pictures, workers):
        results.append(result)
        tell(len(results), len(pictures))
    people = [each for each in results if not isinstance(each, Rejection)]
    if not people:
        raise InvalidRequest(
            f"No face in any of the {len(pictures)} files of '{folder}'. Name another folder."
        )
    return MadeCohort(
        Cohort.of(crowds(np.stack(people)), embedder.model, made_from),
        len(people),
        tuple(each for each in results if isinstance(each, Rejection)),
    )


def _vector(
    picture: Path, locator: FaceLocator, embedder: Embedder, limits: DecodeLimits
) -> NDArray[np.float32]:
    """Embed the foremost face: (d,)."""
    located = locator.locate(read_sample(picture, limits))
    landmarks_xy = located.detections.landmarks_xy[[located.foremost]]
    return np.asarray(embedder.vectors(located.image, landmarks_xy)[0], np.float32)


def _pictures(folder: Path) -> list[Path]:
    if not is_folder(folder):
        raise InvalidRequest(f"'{folder}' is not a folder. Name a folder of pictures.")
    return picture_files([folder])
