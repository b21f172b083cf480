"""Stored video: ten people in view at 1280x720, against face_recognition's loop over its frames.

Likeness does all that a search of a clip does up to the names: it decodes, finds faces, follows
them from look to look, and makes templates of the best shots. face_recognition finds and describes
the faces of each frame, which it is given decoded. Everybody's boxes are known in every frame.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.crowds import RATE, Crowd, Floats, crowd
from bench.figure import Beside, Figure, Measurement, at_least
from bench.peer import Peer
from bench.race import Race, race
from bench.workplace import settings
from likeness.app import Workload
from likeness.errors import required
from likeness.library import open_likeness
from likeness.service.video.finding import FramesFinder
from likeness.service.video.gathering import box_on
from likeness.video import Following, Person, Sampling, Segment, follow, people_of, reading

_PEOPLE, _WIDTH, _HEIGHT, _SECONDS = 10, 1280, 720, 10.0
_ROUNDS = 3
# Every so many frames are given to face_recognition, which takes a second or so for each.
_EVERY = 30
_LOOKS = {"ours": Following(), "every look": Following(look_every_s=0.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What came of a clip in how many seconds, and of the processor's time, decoding included."""

    segments: Sequence[Segment]
    seconds: float
    processor_s: float

    @property
    def people(self) -> list[Person]:
        """Who is seen, tracks joined by place and time."""
        tracks = [track for segment in self.segments for track in segment.tracks]
        return people_of(tracks, None)

    @property
    def looked_at(self) -> int:
        """How many frames were searched for faces."""
        return sum(segment.looked_at for segment in self.segments)


class Follower:
    """Likeness as a search of a clip uses it: several frames at a time, on all processors."""

    def __init__(self, **chosen: object) -> None:
        self._likeness = open_likeness(settings(**chosen), workload=Workload.MANY)
        self.finder = FramesFinder(self._likeness.finder)

    def follow(self, path: Path, following: Following) -> Followed:
        """Follow everybody in a clip."""
        begun, processor_begun = time.perf_counter(), _processor_s()
        segments = tuple(self.segments(path, following))
        return Followed(segments, time.perf_counter() - begun, _processor_s() - processor_begun)

    def segments(self, path: Path, following: Following) -> Iterator[Segment]:
        """Give each segment of a clip when it is done."""
        with path.open("rb") as file, reading(file, Sampling(following.look_every_s)) as reader:
            yield from follow(reader, self.finder, following, workers=self._likeness.workers)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """The seconds of every round, of a whole clip; who was found where both looked."""

    laps: Race
    ours: Followed
    found: NDArray[np.bool_]
    found_by_them: NDArray[np.bool_]
    their_threads: float
    their_processor_s: float


def _stored(full: bool) -> Measurement:
    compared = _compared()
    laps = compared.laps
    each = {name: laps.median(name) / (_SECONDS * RATE) * 1000 for name in laps.seconds}
    return Measurement(
        laps.times_faster("ours", than="theirs"),
        f"{_described()}: decoded, followed, templates of the best shots; face_recognition"
        f" {each['theirs']:.0f} ms a frame ({compared.their_threads:.2f} threads busy, decoding not"
        f" counted, every {_EVERY}th frame), ours {each['ours']:.1f} ms with 10 looks a second;"
        f" median of {_ROUNDS} rounds",
        (
            Beside(
                "every-look",
                laps.times_faster("every look", than="theirs"),
                "times faster",
                f"every frame searched: {each['every look']:.1f} ms a frame",
            ),
            Beside(
                "processor-time",
                compared.their_processor_s / compared.ours.processor_s,
                "times less",
                "of the last round, decoding included:"
                f" {1000 * compared.ours.processor_s / (_SECONDS * RATE):.1f} ms a frame, theirs"
                f" {1000 * compared.their_processor_s / (_SECONDS * RATE):.0f}",
            ),
        ),
    )


def _real_time(full: bool) -> Measurement:
    laps, ours = _compared().laps, _compared().ours
    return Measurement(
        _SECONDS / laps.median("ours"),
        f"seconds of the clip a second, {_described()}; {ours.looked_at} of {_SECONDS * RATE:.0f}"
        f" frames searched, everybody's place known in all; {len(ours.people)} people in"
        f" {sum(len(one.tracks) for one in ours.segments)} tracks",
        (
            Beside(
                "every-look",
                _SECONDS / laps.median("every look"),
                "times real time",
                "every frame searched",
            ),
        ),
    )


def _people(full: bool) -> Measurement:
    ours, theirs = _compared().found, _compared().found_by_them
    return Measurement(
        float(ours.mean() / theirs.mean()),
        f"faces found in every {_EVERY}th frame, over those that face_recognition finds;"
        f" {_described()}",
        tuple(
            Beside(name, float(found.mean()), "share found", f"{found.any(axis=0).sum()} people")
            for name, found in {"ours": ours, "theirs": theirs}.items()
        ),
    )


FIGURES = (
    Figure("stored-video", "times faster", at_least(20), _stored),
    Figure("stored-video-speed", "times real time", at_least(1, without_bf16=0.5), _real_time),
    Figure("stored-video-found", "of theirs", at_least(1), _people),
)


def _processor_s() -> float:
    """Seconds of all threads so far, and of processes that ended."""
    return sum(os.times()[:4])


def _described() -> str:
    return f"{_PEOPLE} people of View 1 in view at {_WIDTH}x{_HEIGHT}, {RATE:g} frames/s, H.264"


@cache
def _compared() -> _Compared:
    """Take turns with face_recognition."""
    clip = crowd(_PEOPLE, _WIDTH, _HEIGHT, _SECONDS)
    frames = _frames_for_them(clip)
    follower, last = Follower(), dict[str, Followed]()

    def ours(name: str) -> float:
        last[name] = follower.follow(clip.path, _LOOKS[name])
        return last[name].seconds

    for name in _LOOKS:  # the first use of a canvas's shape is slower
        ours(name)
    with Peer("face_recognition_frames.py") as peer:
        answers: list[dict[str, Any]] = []

        def theirs() -> float:
            answers.append(peer.ask({"frames": str(frames)}))
            return float(answers[-1]["seconds"]) * _EVERY

        laps = race({"theirs": theirs, **{name: partial(ours, name) for name in _LOOKS}}, _ROUNDS)
    people = last["ours"].people
    return _Compared(
        laps,
        last["ours"],
        _found(clip, [boxes_at(people, time_s) for time_s in clip.times_s[::_EVERY].tolist()]),
        _found(clip, [np.reshape(boxes, (-1, 4)) for boxes in answers[0]["boxes_xyxy"]]),
        float(answers[0]["threads"]),
        float(answers[0]["threads"] * answers[0]["seconds"]) * _EVERY,
    )


def _frames_for_them(clip: Crowd) -> Path:
    """Decode every so many frames, and write them to a file for the peer."""
    with clip.path.open("rb") as file, reading(file, Sampling()) as reader:
        frames = [
            required(frame.image, "a frame's pixels").pixels.copy()
            for number, frame in enumerate(reader)
            if number % _EVERY == 0
        ]
    path = clip.path.with_suffix(".npy")
    np.save(path, np.stack(frames))
    return path


def boxes_at(people: Sequence[Person], time_s: float) -> Floats:
    """Say where those in view are at a moment: (n, 4)."""
    paths = [[track.path() for track in person.tracks] for person in people]
    boxes = [box for some in paths if (box := box_on(some, time_s))]
    sides = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(sides, np.float64).reshape(-1, 4)


def are_found(boxes_xyxy: Floats, truth_xyxy: Floats) -> NDArray[np.bool_]:
    """Say of each face, (n,), whether a box has its middle in its own: detectors' sizes differ."""
    middles = (boxes_xyxy[:, None, :2] + boxes_xyxy[:, None, 2:]) / 2
    within = (middles >= truth_xyxy[None, :, :2]) & (middles <= truth_xyxy[None, :, 2:])
    return np.asarray(within.all(axis=2).any(axis=0))


def _found(clip: Crowd, boxes: Sequence[Floats]) -> NDArray[np.bool_]:
    """Say who, (f, n), is found in every so many frames."""
    truth = clip.boxes_xyxy[::_EVERY]
    return np.stack([are_found(*both) for both in zip(boxes, truth, strict=True)])
