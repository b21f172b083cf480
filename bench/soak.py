"""Does a server's memory stay what it was, over many requests of all kinds?"""

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.filled_home import COLLECTION
from bench.server import INDEX, SEARCH, Asked, Server, load, serve

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
    came = load(server, _mixture(server), count)
    if set(came.codes) != {"OK"}:
        raise NotMeasured(f"answers without an error were expected, {came.codes} came")


def _mixture(server: Server) -> list[Asked]:
    of_collection: dict[str, object] = {"CollectionId": COLLECTION}
    (face,) = server.client().list_faces(CollectionId=COLLECTION, MaxResults=1)["Faces"]
    like_one = {**of_collection, "FaceId": face["FaceId"], "FaceMatchThreshold": 0.0}
    rows = [
        Asked("SearchFaces", like_one, ()),
        Asked("ListFaces", {**of_collection, "MaxResults": 10}, ()),
        Asked("DescribeCollection", of_collection, ()),
        Asked("ListCollections", {}, ()),
    ]
    pictures = [INDEX, SEARCH, Asked("DetectFaces", {})]
    return pictures + (rows * 5)[: 20 - len(pictures)]


FIGURES = (Figure("serve-memory", "% more", at_most(5), _memory),)
