"""How long it takes to say which regions made two faces alike, on a reviewer's demand."""

import time
from collections.abc import Iterator
from itertools import islice

from bench.figure import Figure, Measurement, at_most
from bench.workplace import samples, settings
from likeness.app import Installation, Workload
from likeness.vision.decode import read_sample
from likeness.vision.find import FaceFinder, Located

_PAIRS, _ROUNDS = 6, 5


def _measure(full: bool) -> Measurement:
    """Measure pairs of sample photographs with the networks as a server has them."""
    installation = Installation(settings())
    finder = installation.finder(installation.engine(Workload.MANY))
    pairs = list(islice(_pairs(finder), _PAIRS))
    for pair in pairs:  # the network is compiled for shapes that recur
        finder.saliency(*pair)
    taken = []
    for _ in range(_ROUNDS):
        for pair in pairs:
            began = time.perf_counter()
            finder.saliency(*pair)
            taken.append(1000 * (time.perf_counter() - began))
    taken.sort()
    return Measurement(
        taken[len(taken) // 2],
        f"median of {len(taken)}, {len(pairs)} pairs of sample photographs; slowest"
        f" {taken[-1]:.0f} ms",
    )


def _pairs(finder: FaceFinder) -> Iterator[tuple[Located, Located]]:
    before: Located | None = None
    for path in samples():
        located = finder.locate(read_sample(path))
        if not located.faces:
            continue
        if before is not None:
            yield before, located
        before = located


FIGURES = (Figure("saliency-ms", "ms", at_most(400, without_bf16=1600), _measure),)
