"""Faces of pictures with their templates: what every comparison of pictures compares."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from likeness.terms import SAME_PICTURE, Comparison, Face, SeenFace, Template, compare
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located


@dataclass(frozen=True, slots=True, eq=False)
class FaceInPicture:
    """A face, its template, and where it was seen."""

    face: Face
    template: Template
    seen: SeenFace

    def compared(self, other: "FaceInPicture") -> Comparison:
        """Compare with another face; one face of one picture is identical to itself.

        Raises:
            ModelMismatch: their templates come from different models or cohorts.
        """
        if self.seen.is_of(other.seen):
            return SAME_PICTURE
        return compare(self.template, other.template)


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPicture:
    """The largest face of a picture, the faces of it to compare, and how many it has.

    `remarks` say what of the picture was lost or guessed in decoding.
    """

    largest: FaceInPicture
    faces: tuple[FaceInPicture, ...]
    count: int
    remarks: tuple[str, ...] = ()


def faces_in(
    sample: Sample, located: Located, finder: FaceFinder, which: Sequence[int]
) -> list[FaceInPicture]:
    """Make the templates of the faces with these indices."""
    sha256 = hashlib.sha256(sample.data).digest()
    return [
        FaceInPicture(located.faces[n], template, SeenFace(sha256, located.faces[n].box))
        for n, template in zip(which, finder.templates(located, which), strict=True)
    ]


def compared_picture(sample: Sample, finder: FaceFinder, *, every: bool) -> ComparedPicture:
    """Get a picture ready to be compared: every face of it, or the largest alone.

    Raises:
        NoFace: it has none.
    """
    located = finder.locate(sample)
    largest, count = located.largest, len(located.faces)
    faces = faces_in(sample, located, finder, range(count) if every else [largest])
    return ComparedPicture(faces[largest if every else 0], tuple(faces), count, sample.remarks)
