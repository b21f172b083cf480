"""A crowd in a clip, and an hour of one: how fast, how much memory, who is found."""

from contextlib import suppress
from pathlib import Path

import numpy as np

from bench.crowds import Crowd, crowd, frames_of
from bench.figure import Beside, Figure, Measurement, at_least, at_most
from bench.stored_video import Followed, Follower, are_found, boxes_at
from bench.workplace import OUT
from likeness.terms import Image
from likeness.video import ClipWriter, Following

_PEOPLE, _WIDTH, _HEIGHT, _SECONDS = 100, 1920, 1080, 4.0
_SMALL_PEOPLE, _SMALL_SECONDS, _SMALL_PX, _DEFAULT_SIDE = 24, 3.0, 40.0, 1152
_AGAIN_PX, _AGAIN_FRAMES = 54.0, 12
# A long clip is a short one over and over, at few frames a second: it is its length that counts.
_LONG_WIDTH, _LONG_HEIGHT, _LONG_PEOPLE = 640, 360, 2
_LONG_RATE, _LOOPED = 5.0, 50
_MINUTES, _MINUTES_FULL = 10, 60


def _crowd(full: bool) -> Measurement:
    clip = crowd(_PEOPLE, _WIDTH, _HEIGHT, _SECONDS)
    follower = Follower()
    follower.follow(clip.path, Following())  # the first use of a canvas's shape is slower
    followed = follower.follow(clip.path, Following())
    return Measurement(
        len(clip.times_s) / followed.seconds,
        f"{_PEOPLE} people of View 1 in view at {_WIDTH}x{_HEIGHT}, the smallest face"
        f" {_smallest(clip):.0f} px; {followed.looked_at} of {len(clip.times_s)} frames searched,"
        " everybody's place known in all",
        (
            Beside("found", share_found(followed, clip), "share found", "of all faces, all frames"),
            Beside("people", len(followed.people), "people", f"{_PEOPLE} are there"),
            Beside("resident", resident_mib(), "MiB", "at the end, without what decodes"),
        ),
    )


def _small(full: bool) -> Measurement:
    people, (width, height) = _SMALL_PEOPLE, (_WIDTH, _HEIGHT)
    clip = crowd(people, width, height, _SMALL_SECONDS, _SMALL_PX)
    shares = {
        side: share_found(Follower(detector_side=side).follow(clip.path, Following()), clip)
        for side in (_DEFAULT_SIDE, 640)
    }
    return Measurement(
        shares[_DEFAULT_SIDE],
        f"of all faces in all frames of a clip, {people} people of View 1 in view at"
        f" {width}x{height}, the square root of each box's area {_SMALL_PX:g} px",
        (
            Beside("at-640", shares[640], "share found", "the longer side of what is shown 640"),
            Beside(
                "again",
                _share_again(),
                "share found",
                f"of faces of {_AGAIN_PX:g} px at 1280x720 in a copy of half the size, in which"
                " they are looked for between looks for faces of any size",
            ),
        ),
    )


def share_found(followed: Followed, clip: Crowd) -> float:
    """Say which share of all faces in all frames is found."""
    people = followed.people
    return float(
        np.mean(
            [
                are_found(boxes_at(people, time_s), truth)
                for time_s, truth in zip(clip.times_s.tolist(), clip.boxes_xyxy, strict=True)
            ]
        )
    )


def _share_again() -> float:
    finder, found = Follower().finder, []
    frames = frames_of(_SMALL_PEOPLE, 1280, 720, np.arange(_AGAIN_FRAMES) / 3, _AGAIN_PX)
    for pixels, truth in frames:
        boxes = [face.box for face in finder.locate(Image.of(pixels), _AGAIN_PX)]
        sides = [(box.left, box.top, box.right, box.bottom) for box in boxes]
        found.append(are_found(np.array(sides, np.float64).reshape(-1, 4), truth))
    return float(np.mean(found))


def _memory(full: bool) -> Measurement:
    minutes = _MINUTES_FULL if full else _MINUTES
    path = _long_clip(minutes)
    resident = []
    for _ in Follower().segments(path, Following(look_every_s=1.0)):
        resident.append(resident_mib() + children_mib())
    warm = len(resident) // 10 + 1
    start, most = resident[warm], max(resident[warm:])
    return Measurement(
        100 * (most / start - 1),
        f"most resident memory, what decodes included, over that after {warm * 0.5:g} minutes of a"
        f" clip of {minutes} minutes at {_LONG_WIDTH}x{_LONG_HEIGHT}, a look a second",
        (
            Beside("start", start, "MiB", f"after {warm * 0.5:g} minutes"),
            Beside("end", resident[-1], "MiB", f"after {minutes} minutes"),
        ),
    )


FIGURES = (
    Figure("crowd-video", "frames/s", None, _crowd),
    Figure("small-in-clips", "share found", at_least(0.95), _small),
    Figure("followed-memory", "% more", at_most(5), _memory),
)


def _smallest(clip: Crowd) -> float:
    return float(
        np.sqrt((clip.boxes_xyxy[0, :, 2:] - clip.boxes_xyxy[0, :, :2]).prod(axis=1)).min()
    )


def _long_clip(minutes: int) -> Path:
    path = OUT / "clips" / f"{minutes}-minutes.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    loop_s = np.arange(_LOOPED) / _LONG_RATE
    frames = [f for f, _ in frames_of(_LONG_PEOPLE, _LONG_WIDTH, _LONG_HEIGHT, loop_s)]
    with ClipWriter(path, _LONG_WIDTH, _LONG_HEIGHT) as writer:
        for number in range(round(60 * minutes * _LONG_RATE)):
            writer.write(frames[number % len(frames)], number / _LONG_RATE)
    return path


def resident_mib(process: int | str = "self") -> float:
    """MiB that a process holds in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    # A process that has ended, and that nobody has waited for yet, has none.
    held = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    kib = next(held, "0")
    return int(kib) / 1024


def children_mib(process: int | str = "self") -> float:
    """MiB that the processes that decode hold, whichever thread started them."""
    held = 0.0
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread, or the process, has ended
            held += sum(resident_mib(int(child)) for child in children.read_text().split())
    return held
