"""Faces of pictures: what every comparison compares, and how much a picture must show of one.

docs/quality.md has the measures that the bars are chosen by. None asks for more light than another:
that would turn away dark skin in ordinary light.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from likeness.terms import (
    SAME_PICTURE,
    Comparison,
    Face,
    QualityReason,
    SeenFace,
    Template,
    compare,
)
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located

ReadSample = Callable[[], Sample]
"""Gives a sample once it may be looked at: nothing of it is fetched or decoded before."""


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
    """The foremost face of a picture, the faces of it to compare, and how many it has.

    `remarks` say what of the picture was lost or guessed in decoding.
    """

    foremost: FaceInPicture
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
    """Get a picture ready to be compared: every face of it, or the foremost alone.

    Raises:
        NoFace: it has none.
    """
    located = finder.locate(sample)
    foremost, count = located.foremost, len(located.faces)
    faces = faces_in(sample, located, finder, range(count) if every else [foremost])
    return ComparedPicture(faces[foremost if every else 0], tuple(faces), count, sample.remarks)


@dataclass(frozen=True, slots=True)
class QualityBar:
    """What a face needs beyond being fit to enrol.

    `least_sharpness` is 0 to 100, `least_size` pixels of the full frame, `most_yaw` and
    `most_pitch` degrees either way.
    """

    least_sharpness: float
    least_size: float
    most_yaw: float
    most_pitch: float

    @property
    def parameter(self) -> tuple[str, str]:
        """The same, for the record: the bar itself, since two names may stand for one."""
        measures = (self.least_sharpness, self.least_size, self.most_yaw, self.most_pitch)
        return "quality", ",".join(f"{one:g}" for one in measures)

    def speaks_against(self, face: Face) -> tuple[QualityReason, ...]:
        """Say why a face does not reach the bar; nothing where it does."""
        quality, pose = face.quality, face.pose
        short_of = {
            QualityReason.EXTREME_POSE: abs(pose.yaw) > self.most_yaw
            or abs(pose.pitch) > self.most_pitch,
            QualityReason.LOW_SHARPNESS: quality.sharpness < self.least_sharpness,
            QualityReason.SMALL_BOUNDING_BOX: quality.size < self.least_size,
        }
        return tuple(
            reason
            for reason in QualityReason
            if reason in quality.reasons or short_of.get(reason, False)
        )


FIT = QualityBar(least_sharpness=0, least_size=0, most_yaw=180, most_pitch=180)
"""Fit to enrol, and no more: below, recognition starts to fail."""
GOOD = QualityBar(least_sharpness=20, least_size=32, most_yaw=50, most_pitch=20)
"""As sharp, as large and as near to frontal as makes no difference to who is missed."""
BEST = QualityBar(least_sharpness=42, least_size=48, most_yaw=40, most_pitch=20)
"""As good as a photograph for a document: sharp, 48 pixels wide and near to frontal."""


def within(bar: QualityBar | None, faces: Sequence[Face]) -> list[int]:
    """Give the indices of the faces that reach a bar; of all without."""
    return [n for n, face in enumerate(faces) if bar is None or not bar.speaks_against(face)]
