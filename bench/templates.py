"""The processor time of one face's template: retail-0095's two chips against dlib's six."""

import time
from functools import cache

from bench.evenness import DLIB, RETAIL
from bench.figure import Beside, Figure, Measurement, at_most
from bench.race import Race, Runner, race
from bench.workplace import samples, settings
from likeness.app import Installation, Workload
from likeness.vision.networks.session import Precision

_ROUNDS = 7
_TIMES = 40


def _figure(precision: Precision) -> Figure:
    def measure(full: bool) -> Measurement:
        laps = _laps(precision)
        ms = {name: 1000 * laps.median(name) for name in laps.seconds}
        return Measurement(
            1 / laps.times_faster("retail", than="dlib"),
            f"of dlib's {ms['dlib']:.2f} ms of processor time ({ms['retail']:.2f} ms), cutting the"
            f" chips included, in {precision} on two threads; median of {_ROUNDS} rounds",
            (
                Beside("retail", ms["retail"], "ms", "two chips of retail-0095"),
                Beside("dlib", ms["dlib"], "ms", "six chips of dlib's"),
            ),
        )

    return Figure(f"template-cpu-{precision}", "of dlib's", at_most(0.5), measure)


@cache
def _laps(precision: Precision) -> Race:
    return race({"dlib": _runner(DLIB, precision), "retail": _runner(RETAIL, precision)}, _ROUNDS)


def _runner(recogniser: str, precision: Precision) -> Runner:
    """Make what embeds one face again and again, and says the seconds of processor time a time."""
    installation = Installation(
        settings(recogniser=recogniser, precision=precision.value, threads=2)
    )
    engine = installation.engine(Workload.ONE)
    embedder, locator = installation.embedder(engine), installation.locator(engine)
    located = locator.locate(installation.sample(samples()[0]))
    landmarks_xy = located.detections.landmarks_xy[:1]

    def run() -> float:
        begun = time.process_time()
        for _ in range(_TIMES):
            embedder.vectors(located.image, landmarks_xy)
        return (time.process_time() - begun) / _TIMES

    run()  # the first use of a shape is slower
    return run


FIGURES = (_figure(Precision.BF16), _figure(Precision.F32))
