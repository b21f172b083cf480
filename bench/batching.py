"""Would it pay to compute the pictures of several requests as one batch? Both networks, one thread.

A server computes each request on a thread of its own. A batch would have to be faster than the
same pictures one after the other, by more than waiting for each other costs.
"""

import time
from functools import partial

import numpy as np

from bench.figure import Beside, Figure, Measurement
from bench.race import Runner, race
from bench.workplace import settings
from likeness.app import Installation, Workload
from likeness.vision.networks.session import Session

_TOGETHER = (2, 4)
_ROUNDS, _RUNS = 15, 2


def _measured(full: bool) -> Measurement:
    with_one_thread = Installation(settings(threads=1))
    engine = with_one_thread.engine(Workload.ONE)
    models = with_one_thread.models
    detector = engine.load(models.require(with_one_thread.detector.name))
    recogniser = engine.load(models.require(with_one_thread.recogniser.name))
    model = with_one_thread.template_model()
    side, chips = model.layout.side, model.chips.count
    found = {
        f"{name}-{together}": _times_faster(session, shape, together)
        for name, session, shape in (
            ("detector", detector, (1, 480, 640, 3)),
            ("recogniser", recogniser, (chips, side, side, 3)),
        )
        for together in _TOGETHER
    }
    return Measurement(
        max(found.values()),
        "the best of what follows, against the same one by one; 1 would be neither gain nor loss",
        tuple(
            Beside(name, times, "times faster", "median of rounds, one thread")
            for name, times in found.items()
        ),
    )


def _times_faster(session: Session, shape: tuple[int, ...], together: int) -> float:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    batch = np.concatenate([pixels] * together)

    def lap(pictures: np.ndarray, times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            session.run(pictures)
        return time.perf_counter() - began

    runners: dict[str, Runner] = {
        "one by one": partial(lap, pixels, _RUNS * together),
        "together": partial(lap, batch, _RUNS),
    }
    race(runners, 2)
    return race(runners, _ROUNDS).times_faster("together", than="one by one")


FIGURES = (Figure("serve-batch", "times faster", None, _measured),)
