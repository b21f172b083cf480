"""How much must a picture show of a face, where whoever asks may choose?

docs/quality.md has the measures that the bars are chosen by. None asks for more light than another:
that would turn away dark skin in ordinary light.
"""

from dataclasses import dataclass

from likeness.terms import Face, QualityReason


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
