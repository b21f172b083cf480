"""Photograph to faces and templates, against face_recognition on the same files.

Each as its users run it: face_recognition in a plain loop, Likeness as for many pictures; and once
more with one thread each. face_recognition has one thread either way, which its processor time
confirms, so its seconds stand for both.
"""

import time
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from bench.figure import Beside, Figure, Measurement, NotMeasured, Target, at_least
from bench.peer import Peer
from bench.race import Race, race
from bench.workplace import data, pictures_in, samples, settings
from likeness.app import Workload
from likeness.library import open_likeness
from likeness.terms import in_parallel

_ROUNDS = 3
_EVERY = 4
_SIDES: dict[str, dict[str, object]] = {"640": {"detector_side": 640}, "default": {}}


def _figure(side: str, target: Target) -> Figure:
    def measure(full: bool) -> Measurement:
        pictures, described = _pictures(full)
        laps, notes = _measured(pictures)
        each = {name: 1000 * laps.median(name) / len(pictures) for name in laps.seconds}
        alone = f"{side}, one thread"
        return Measurement(
            laps.times_faster(side, than="theirs"),
            f"{described}: face_recognition {each['theirs']:.0f} ms each, {notes['theirs']}; ours"
            f" {each[side]:.1f} ms on all cores, {notes[side]}; median of {_ROUNDS} rounds",
            (
                Beside(
                    "one-thread",
                    laps.times_faster(alone, than="theirs"),
                    "times faster",
                    f"one thread each: ours {each[alone]:.1f} ms",
                ),
            ),
        )

    return Figure(f"photo-{side}", "times faster", target, measure)


FIGURES = (
    _figure("640", at_least(60, without_amx=30, without_bf16=22)),
    _figure("default", at_least(30, without_amx=22, without_bf16=14)),
)


@cache
def _measured(pictures: tuple[Path, ...]) -> tuple[Race, dict[str, str]]:
    """Take turns with face_recognition, at both sides, on all cores and on one thread."""
    notes = {}
    runners = {}
    for side, chosen in _SIDES.items():
        runners[side] = _Ours(pictures, **chosen)
        runners[f"{side}, one thread"] = _Ours(pictures, threads=1, **chosen)
        first = runners[side]()  # the first use of a canvas's shape is slower
        runners[f"{side}, one thread"]()
        notes[side] = (
            f"{1000 * first / len(pictures):.1f} ms the first time, {runners[side].faces} faces"
        )
    with Peer("face_recognition_pictures.py") as peer:
        answers: list[dict[str, Any]] = []

        def theirs() -> float:
            answers.append(peer.ask({"pictures": list(map(str, pictures))}))
            return float(answers[-1]["seconds"])

        laps = race({"theirs": theirs, **runners}, _ROUNDS)
    found = sum(len(each["faces"]) for each in answers[0]["answers"])
    notes["theirs"] = f"{answers[0]['threads']:.2f} threads busy, {found} faces"
    return laps, notes


class _Ours:
    """Likeness at work on many pictures; `faces` is how many it found."""

    def __init__(self, pictures: tuple[Path, ...], **chosen: object) -> None:
        self._pictures = pictures
        self._likeness = open_likeness(settings(**chosen), workload=Workload.MANY)
        self.faces = 0

    def __call__(self) -> float:
        """Find every face and make its template; say how many seconds that took."""
        # OpenCV's own threads are apart from those that settings govern.
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1 if self._likeness.workers == 1 else threads)
        begun = time.perf_counter()
        self.faces = sum(in_parallel(self._templates, self._pictures, self._likeness.workers))
        seconds = time.perf_counter() - begun
        cv2.setNumThreads(threads)
        return seconds

    def _templates(self, picture: Path) -> int:
        finder = self._likeness.finder
        return len(finder.templates(finder.locate(self._likeness.sample(picture))))


def _pictures(full: bool) -> tuple[tuple[Path, ...], str]:
    """The photographs to work on, and what they are."""
    try:
        found = [*pictures_in(data("deepface_pairs")), *pictures_in(data("clip") / "references")]
    except NotMeasured:
        return tuple(samples()), "the 5 sample photographs"
    if full:
        return tuple(found), f"{len(found)} photographs of deepface_pairs and clip/references"
    chosen = tuple(found[::_EVERY])
    return chosen, f"{len(chosen)} photographs, every fourth of deepface_pairs and clip/references"
