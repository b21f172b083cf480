"""Does a server's memory stay what it was, over many requests of all kinds?"""

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.server import Server, load, mixture, serve

_REFERENCES = 5_000
_REQUESTS, _REQUESTS_FULL = 2_000, 100_000
# Signed before they are sent, and good for five minutes.
_PORTION = 1_000
_WARM_UP = 1_000


def _memory(full: bool) -> Measurement:
    count = _REQUESTS_FULL if full else _REQUESTS
    with serve(_REFERENCES) as server:
        _ask(server, _WARM_UP)
        start = server.resident_mib()
        resident = [start]
        for _ in range(count // _PORTION):
            _ask(server, _PORTION)
            resident.append(server.resident_mib())
    return Measurement(
        100 * (resident[-1] / start - 1),
        f"resident memory after {count:,} requests against after {_WARM_UP:,}: of 20, one enrols,"
        " one searches by a picture, one detects, the others ask about rows",
        (
            Beside("start", start, "MiB", f"after {_WARM_UP:,} requests"),
            Beside("most", max(resident), "MiB", f"looked at every {_PORTION:,} requests"),
            Beside("end", resident[-1], "MiB", f"after {count:,} more"),
        ),
    )


def _ask(server: Server, count: int) -> None:
    came = load(server, mixture(server), count)
    if set(came.codes) != {"OK"}:
        raise NotMeasured(f"answers without an error were expected, {came.codes} came")


FIGURES = (Figure("serve-memory", "% more", at_most(5), _memory),)
