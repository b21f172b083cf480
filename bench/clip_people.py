"""Who is seen when in `clip/`, against labels that were made by eye.

Somebody is in view, for the labels, while both of their eyes are seen: Alex Lacamoire at the piano,
and not in the close-up from the side that follows, where no system of faces would know him.
"""

from functools import cache
from itertools import zip_longest

from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.workplace import data
from likeness.service.search.folder_gallery import FolderGallery, Reference
from likeness.terms import SeenFace
from likeness.video import Interval

# Seconds of the clip: frames 0 to 19, and 82 to 210.
LABELS = {
    "alex-lacamoire": (Interval(0.844, 1.478),),
    "lin-manuel-miranda": (Interval(0.844, 1.478), Interval(3.580, 7.851)),
}


@cache
def _found() -> tuple[dict[str, list[Interval]], int]:
    """Give from when to when each of them was named, and how many people were seen."""
    folder = data("clip")
    references = []
    for name in LABELS:
        picture = folder / "references" / f"{name}.png"
        face, template = likeness().foremost(picture)
        references.append(Reference(name, picture, template, SeenFace(b"", face.box)))
    gallery = FolderGallery(tuple(references), ())
    seen = likeness().identify_clip(folder / "short_hamilton_clip.mp4", gallery)
    found: dict[str, list[Interval]] = {name: [] for name in LABELS}
    for person in seen.people:
        if person.match is not None and person.match.subject is not None:
            found[person.match.subject] += person.intervals
    return found, len(seen.people)


def _named(full: bool) -> Measurement:
    found, seen = _found()
    wrong = [
        one
        for name, intervals in found.items()
        for one in intervals
        if not any(_overlap(one, label) for label in LABELS[name])
    ]
    return Measurement(
        sum(any(_overlap(one, LABELS[name][0]) for one in found[name]) for name in LABELS),
        f"the two people of the clip who have references; {seen} people were seen",
        (Beside("clip-named-wrongly", len(wrong), "intervals", "in which they are out of view"),),
    )


def _off(full: bool) -> Measurement:
    found, _ = _found()
    off = {name: _furthest_off(name, found[name]) for name in LABELS if found[name]}
    if not off:
        raise NotMeasured("nobody of the clip was named")
    return Measurement(
        max(off.values()), f"beginnings and ends against labels by eye, of {' and '.join(off)}"
    )


def _overlap(one: Interval, other: Interval) -> bool:
    return one.begins_s < other.ends_s and other.begins_s < one.ends_s


def _furthest_off(name: str, intervals: list[Interval]) -> float:
    """Say by how much an interval is off at most; one that is missing is off by its length."""
    ordered = sorted(intervals, key=lambda one: one.begins_s)
    off = []
    for one, label in zip_longest(ordered, LABELS[name]):
        if one is None or label is None:
            whole = one or label
            off.append(whole.ends_s - whole.begins_s)
        else:
            off += [abs(one.begins_s - label.begins_s), abs(one.ends_s - label.ends_s)]
    return max(off)


FIGURES = (
    Figure("clip-named", "of 2 people", at_least(2), _named),
    Figure("clip-off", "s", at_most(0.5), _off),
)
