"""A gallery made from a folder of pictures: one folder a person, or one file a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from likeness.errors import InvalidRequest, LikenessError
from likeness.service.identify import Found
from likeness.service.in_parallel import in_parallel
from likeness.service.people_folder import files_of_people
from likeness.terms.template import Comparison, Template, compare
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Reference:
    """One enrolled picture of a subject."""

    subject: str
    path: Path
    template: Template


@dataclass(frozen=True, slots=True)
class Rejection:
    """A picture that could not be enrolled, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class FolderGallery:
    """Everybody in the folder; `rejections` are counted, never dropped."""

    references: tuple[Reference, ...]
    rejections: tuple[Rejection, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject's name once, sorted."""
        return tuple(sorted({reference.subject for reference in self.references}))

    @property
    def compared(self) -> int:
        """How many references a search compares a probe with."""
        return len(self.references)

    def search(self, probe: Template, limit: int) -> tuple[Found, ...]:
        """Find at most `limit` subjects that a face is like, each by their best picture.

        Raises:
            ModelMismatch: the probe comes from another model or cohort.
        """
        best: dict[str, Comparison] = {}
        for reference in self.references:
            comparison = compare(reference.template, probe)
            known = best.get(reference.subject)
            if known is None or comparison.score > known.score:
                best[reference.subject] = comparison
        ranked = sorted(best.items(), key=lambda named: -named[1].score)[:limit]
        return tuple(Found(subject, None, comparison) for subject, comparison in ranked)


def read_gallery(
    folder: Path,
    finder: FaceFinder,
    *,
    limits: DecodeLimits,
    workers: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> FolderGallery:
    """Make templates of the foremost face of every picture in a folder.

    Args:
        folder: `NAME/anything.jpg` for many pictures a person, or `NAME.jpg` for one.
        finder: what finds the faces.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        tell: is told how many of how many pictures are done.

    Raises:
        InvalidRequest: there is no such folder, or no picture in it with a face.
    """
    pictures = list(files_of_people(folder))

    def enrol(picture: tuple[str, Path]) -> Reference | Rejection:
        subject, path = picture
        try:
            return Reference(subject, path, finder.foremost(read_sample(path, limits))[1])
        except LikenessError as error:
            return Rejection(path, str(error))

    enrolled: list[Reference | Rejection] = []
    for result in in_parallel(enrol, pictures, workers):
        enrolled.append(result)
        tell(len(enrolled), len(pictures))
    gallery = FolderGallery(_only(Reference, enrolled), _only(Rejection, enrolled))
    if not gallery.references:
        first = f": {gallery.rejections[0].reason}" if gallery.rejections else ""
        raise InvalidRequest(
            f"a gallery needs one picture with a face, and '{folder}' has {len(pictures)} pictures"
            f" and none with one{first}; put NAME/picture.jpg or NAME.jpg into it"
        )
    return gallery


def _only(kind: type[Result], results: Sequence[Reference | Rejection]) -> tuple[Result, ...]:
    return tuple(result for result in results if isinstance(result, kind))
