"""Chip to template, against dlib itself with the same weights on the same chips."""

import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figure import Beside, Figure, Measurement, Target, at_least
from bench.peer import Peer
from bench.race import Race, Runner, race
from bench.workplace import samples, settings
from likeness.app import Installation, Workload
from likeness.artifacts import Sources, fetch_all
from likeness.artifacts.catalogue import DLIB_RESNET
from likeness.terms import in_parallel
from likeness.vision.embed import Chips, cut_chips
from likeness.vision.networks.session import Precision

_BATCH = 16
_BATCHES = 32
_THEIR_CHIPS = 24
_ROUNDS = 5
# The one that dlib can run, too.
_RECOGNISER = "dlib-resnet-v1"


def _figure(precision: Precision, target: Target) -> Figure:
    def measure(full: bool) -> Measurement:
        laps, difference = _measured(precision)
        ms = {name: 1000 * laps.median(name) for name in laps.seconds}
        return Measurement(
            laps.times_faster("ours", than="dlib"),
            f"dlib {ms['dlib']:.1f} ms a chip, on one thread as always; ours"
            f" {ms['ours']:.2f} ms in batches of {_BATCH} on all cores; templates"
            f" differ by {difference:.1g} at most; median of {_ROUNDS} rounds",
            (
                Beside(
                    "one-thread",
                    laps.times_faster("ours, one thread", than="dlib"),
                    "times faster",
                    f"ours {ms['ours, one thread']:.2f} ms on one thread",
                ),
            ),
        )

    return Figure(f"chip-{precision}", "times faster", target, measure)


# Without AMX every throughput is halved, but the ratio in f32 holds anywhere.
FIGURES = (
    _figure(Precision.BF16, at_least(80, without_amx=40)),
    _figure(Precision.F32, at_least(25)),
)


@cache
def _measured(precision: Precision) -> tuple[Race, float]:
    """Take turns with dlib; also say by how much the templates differ."""
    chips = _chips()
    users, users_features = _prepared(chips, precision=precision)
    alone, _ = _prepared(chips, precision=precision, threads=1)
    with tempfile.TemporaryDirectory() as folder, Peer("dlib_chips.py") as dlib:
        path = Path(folder) / "chips.npy"
        np.save(path, chips[:_THEIR_CHIPS])
        (weights,) = fetch_all([DLIB_RESNET], Sources(settings().cache))
        request = {"weights": str(weights), "chips": str(path)}
        laps = race(
            {
                "dlib": lambda: float(dlib.ask(request)["seconds"]),
                "ours": users,
                "ours, one thread": alone,
            },
            _ROUNDS,
        )
        theirs = np.array(dlib.ask(request)["features"])
    return laps, float(np.abs(_unit(users_features[:_THEIR_CHIPS]) - _unit(theirs)).max())


def _prepared(chips: NDArray[np.uint8], **chosen: object) -> tuple[Runner, NDArray[np.float32]]:
    """Load the recogniser; give what times it, in seconds a chip, and its features of the chips."""
    likeness = Installation(settings(recogniser=_RECOGNISER, **chosen))
    network = likeness.models.require(likeness.recogniser.name)
    session = likeness.engine(Workload.MANY).load(network)
    workers = likeness.workers(Workload.MANY)
    batches = [np.resize(chips, (_BATCH, *chips.shape[1:]))] * _BATCHES

    def run() -> float:
        begun = time.perf_counter()
        for _ in in_parallel(session.run, batches, workers):
            pass
        return (time.perf_counter() - begun) / (_BATCH * _BATCHES)

    run()  # the first use of a shape is slower
    return run, session.run(chips)[0]


def _chips() -> NDArray[np.uint8]:
    """The chips, (n, 150, 150, 3), of the faces in the sample photographs."""
    likeness = Installation(settings(recogniser=_RECOGNISER))
    locator = likeness.locator(likeness.engine(Workload.ONE))
    cut = []
    for picture in samples():
        located = locator.locate(likeness.sample(picture))
        landmarks_xy = located.detections.landmarks_xy
        cut.append(
            cut_chips(located.image, landmarks_xy, likeness.template_model().layout, Chips.SIX)
        )
    chips = np.concatenate(cut)
    return chips.reshape(-1, *chips.shape[2:])


def _unit(features: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))
