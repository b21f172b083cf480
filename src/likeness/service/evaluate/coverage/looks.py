"""How pictures show faces, measured, and the groups that this puts them into."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from likeness.evaluation import Axis
from likeness.service.evaluate.ages import axis_of
from likeness.vision.decode import Sample
from likeness.vision.find import FaceLocator
from likeness.vision.taken import day_taken

_MOST_YEARS = 20


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture shows its foremost face; angles in degrees, size in pixels of the picture."""

    faces: int
    yaw: float
    pitch: float
    roll: float
    sharpness: float
    brightness: float
    size: float
    taken: date | None
    unfit: tuple[str, ...] = ()


def look_at(sample: Sample, locator: FaceLocator) -> Look:
    """Measure the foremost face of a picture.

    Raises:
        NoFace: there is none.
    """
    located = locator.locate(sample)
    face = located.faces[located.foremost]
    return Look(
        len(located.faces),
        face.pose.yaw,
        face.pose.pitch,
        face.pose.roll,
        face.quality.sharpness,
        face.quality.brightness,
        face.quality.size,
        day_taken(sample.data),
        tuple(face.quality.reasons),
    )


def day_of(text: str) -> date | None:
    """Read a date of a manifest: a day, a month or a year; None where it is neither."""
    found = re.match(r"(\d{4})(?:[-:/.]?(\d{2})(?:[-:/.]?(\d{2}))?)?(?!\d)", text.strip())
    try:
        return None if found is None else date(*(int(part or 1) for part in found.groups()))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Measure:
    """A measure in bins: each ends below its edge, the last is what lies beyond."""

    name: str
    of: Callable[[Look], float]
    edges: tuple[tuple[float, str], ...]
    beyond: str

    @property
    def bins(self) -> tuple[str, ...]:
        return (*(name for _, name in self.edges), self.beyond)

    def bin(self, look: Look) -> str:
        value = self.of(look)
        return next((name for edge, name in self.edges if value < edge), self.beyond)


_MEASURES = (
    _Measure("faces in the picture", lambda one: one.faces, ((2, "one face"),), "several faces"),
    _Measure(
        "turned (yaw)",
        lambda one: abs(one.yaw),
        ((15, "frontal"), (30, "15 to 30 degrees"), (60, "30 to 60 degrees")),
        "beyond 60 degrees",
    ),
    _Measure("looks (pitch)", lambda one: one.pitch, ((-10, "down"), (10, "level")), "up"),
    _Measure(
        "tilted (roll)",
        lambda one: abs(one.roll),
        ((15, "upright"), (45, "15 to 45 degrees")),
        "beyond 45 degrees",
    ),
    _Measure(
        "sharpness",
        lambda one: one.sharpness,
        ((12, "below 12"), (50, "12 to 50"), (85, "50 to 85")),
        "85 and more",
    ),
    _Measure(
        "light",
        lambda one: one.brightness,
        ((20, "below 20"), (40, "20 to 40"), (60, "40 to 60"), (80, "60 to 80")),
        "80 and more",
    ),
    _Measure(
        "size of the face in pixels",
        lambda one: one.size,
        ((24, "below 24"), (48, "24 to 48"), (96, "48 to 96"), (192, "96 to 192")),
        "192 and more",
    ),
)


def measured_axes(
    looks: Sequence[Look | None], days: Sequence[date | None], *, measured: bool
) -> list[tuple[Axis, tuple[str, ...]]]:
    """Put pictures into groups by what was measured, and by the year; name those that are empty."""
    axes: list[tuple[Axis, tuple[str, ...]]] = []
    for measure in _MEASURES if measured else ():
        values = ["" if one is None else measure.bin(one) for one in looks]
        missing = tuple(one for one in measure.bins if one not in values)
        axes.append((axis_of(measure.name, values, measure.bins), missing))
    years = sorted({day.year for day in days if day is not None})
    if years:
        decades = len(years) > _MOST_YEARS
        values = [
            "" if day is None else f"{day.year // 10 * 10}s" if decades else str(day.year)
            for day in days
        ]
        axes.append((axis_of("decade" if decades else "year", values), ()))
    return axes
