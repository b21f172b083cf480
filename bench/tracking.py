"""How well are people followed through composed clips, and who mends what: by TrackEval's count.

The clips are written, and read again as any other. Once faces were found, the same faces are
followed by place alone, for what templates are worth.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from bench.composed_clips import (
    CLIPS,
    CUTS_S,
    HEIGHT,
    MEETINGS_EACH,
    PEOPLE_EACH,
    WIDTH,
    ComposedClip,
    TrueFace,
    composed_clips,
)
from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, at_least, at_most
from bench.peer import Peer
from likeness.service.video.finding import FramesFinder
from likeness.service.video.gathering import SAME_PERSON_FMR
from likeness.terms import Box, Face, Image, Template
from likeness.video import (
    ClipWriter,
    Following,
    Frame,
    FrameFinder,
    Track,
    follow,
    people_of,
    reading,
)
from likeness.video.tracker import Tracker

# A find that covers so much of a face that is hardly seen is not counted either way.
_HARDLY_SEEN = 0.3

Boxes = list[tuple[int, Box]]


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """A clip's looks: when, who was there, and the tracks with templates and by place alone."""

    times: Sequence[float]
    truth: Sequence[Sequence[TrueFace]]
    tracks: Sequence[Track]
    by_place: Sequence[Track]


class _Remembering:
    """Finds faces, and remembers them for whoever follows the same frames again."""

    def __init__(self, finder: FrameFinder) -> None:
        self._finder = finder
        self.now_s = 0.0
        self.times: list[float] = []
        self.found: list[Sequence[Face]] = []

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        self.times.append(self.now_s)
        self.found.append(self._finder.locate(image, least, turn))
        return self.found[-1]

    def templates(self, image: Image, faces: Sequence[Face]) -> Sequence[Template]:
        return self._finder.templates(image, faces)

    def crop_jpeg(self, image: Image, box: Box) -> bytes:
        return b""


class _Remembered(_Remembering):
    """Gives the faces that were found before, in the same order."""

    def __init__(self, other: _Remembering) -> None:
        self._left = iter(other.found)

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        return next(self._left)


@cache
def _followed() -> list[_Followed]:
    finder = FramesFinder(likeness().finder)
    with tempfile.TemporaryDirectory() as folder:
        return [_follow(clip, Path(folder) / "clip.mp4", finder) for clip in composed_clips()]


def _follow(clip: ComposedClip, path: Path, finder: FrameFinder) -> _Followed:
    truth: list[Sequence[TrueFace]] = []
    with ClipWriter(path, WIDTH, HEIGHT) as writer:
        for time_s in clip.times():
            pixels, seen = clip.frame(time_s)
            writer.write(pixels, time_s)
            truth.append(seen)
    remembering = _Remembering(finder)
    kept: list[Frame] = []

    def passed_on(frames: Iterable[Frame]) -> Iterator[Frame]:
        nothing = Image.of(np.zeros((1, 1, 3), np.uint8))
        for frame in frames:
            remembering.now_s = frame.time_s
            kept.append(replace(frame, image=nothing))
            yield frame

    with path.open("rb") as file, reading(file) as frames:
        tracks = _tracks(passed_on(frames), remembering, templates=True)
    by_place = _tracks(kept, _Remembered(remembering), templates=False)
    written = np.array(clip.times())
    seen_at = [truth[int(np.abs(written - time_s).argmin())] for time_s in remembering.times]
    return _Followed(remembering.times, seen_at, tracks, by_place)


def _tracks(frames: Iterable[Frame], finder: FrameFinder, *, templates: bool) -> list[Track]:
    segments = follow(frames, finder, Following(templates=templates), segment_s=12.0)
    return [track for segment in segments for track in segment.tracks]


@cache
def _scores(*, templates: bool, to_s: float) -> dict[str, float]:
    """Score everybody who was followed, up to a moment of each clip."""
    same_from = likeness().calibration.threshold(SAME_PERSON_FMR) if templates else None
    asked = []
    for clip in _followed():
        people = people_of(clip.tracks if templates else clip.by_place, same_from)
        at: dict[float, Boxes] = {time_s: [] for time_s in clip.times if time_s < to_s}
        for person in people:
            for look in person.looks:
                if look.time_s in at:
                    at[look.time_s].append((person.number, look.face.box))
        looks = list(zip(clip.truth, at.values(), strict=False))
        asked.append(
            {
                "truth": [
                    [(face.person, _sides(face.box)) for face in faces if face.seen]
                    for faces, _ in looks
                ],
                "found": [
                    [(number, _sides(box)) for number, box in boxes if _counts(box, faces)]
                    for faces, boxes in looks
                ],
            }
        )
    with Peer("track_scores.py") as peer:
        return peer.ask({"clips": asked})


def _counts(box: Box, faces: Sequence[TrueFace]) -> bool:
    """Whether a find is right or wrong: not where it is on a face that is hardly seen."""
    counted = max((box.overlap(face.box) for face in faces if face.seen), default=0.0)
    hardly = max((box.overlap(face.box) for face in faces if not face.seen), default=0.0)
    return hardly < _HARDLY_SEEN or counted >= hardly


def _sides(box: Box) -> list[float]:
    return [box.left, box.top, box.right, box.bottom]


def _idf1(full: bool) -> Measurement:
    mended, alone = (_scores(templates=one, to_s=np.inf) for one in (True, False))
    return Measurement(
        mended["idf1"],
        f"{CLIPS} composed clips with {CLIPS * PEOPLE_EACH} people of LFW View 1 who cross, leave,"
        " return and are cut to; who is one person is told at FMR"
        f" {SAME_PERSON_FMR:g}; TrackEval",
        (
            Beside("by-place", alone["idf1"], "of 1", "the same faces followed without templates"),
            Beside("hota", mended["hota"], "of 1", "mean over overlaps"),
            Beside("found", mended["recall"], "of 1", "faces of which enough is seen"),
            Beside("right", mended["precision"], "of 1", "of what was followed"),
        ),
    )


def _switches(full: bool) -> Measurement:
    mended, alone = (_scores(templates=one, to_s=CUTS_S[0]) for one in (True, False))
    return Measurement(
        mended["switches"],
        f"{CLIPS * MEETINGS_EACH} times that two walk through each other or turn back; TrackEval",
        (Beside("by-place", alone["switches"], "switches", "followed without templates"),),
    )


def _crowd_ms(full: bool) -> Measurement:
    random = np.random.default_rng(0)
    at, moving = random.uniform((50, 50), (1870, 1030), (100, 2)), random.normal(0, 30, (100, 2))
    half = random.uniform(10, 30, (100, 1))
    tracker, seconds = Tracker(Following().lost_after_s), []
    for look in range(300):
        middles = at + moving * look / 10 + random.normal(size=at.shape)
        found = np.hstack([middles - half, middles + half])[random.random(100) > 0.1]
        begun = time.process_time()
        tracker.look(look / 10, found, np.ones(len(found), np.bool_))
        seconds.append(time.process_time() - begun)
    return Measurement(
        1000 * float(np.median(seconds)), "processor time to follow 100 faces from look to look"
    )


FIGURES = (
    Figure("tracking-crowd-ms", "ms", at_most(3), _crowd_ms),
    Figure("tracking-idf1", "of 1", at_least(0.95), _idf1),
    Figure("tracking-switches", "switches", at_most(1), _switches),
)
