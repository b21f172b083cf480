"""Enrolment: pictures a second from files to committed rows, and how long one reference waits."""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
import numpy as np

from bench.figure import Beside, Figure, Measurement, at_least, at_most
from bench.synthetic_gallery import SyntheticGallery
from bench.workplace import OUT, data, pictures_in, settings
from likeness.app import Installation, Workload
from likeness.app.enrolment import enroller_of
from likeness.app.home import Home
from likeness.gallery.references import NewReference
from likeness.service.enrol import Demands
from likeness.service.named_picture import NamedPicture
from likeness.terms.face import Box, Face, Landmarks, Point, Pose, Quality
from likeness.terms.template import CohortStatistics, Template
from likeness.vision.decode import inspect

_COLLECTION = "bench"
_DISTINCT = 64
_WARM_UP = 32
_PICTURES, _PICTURES_FULL = 320, 100_000
_ACKNOWLEDGED = 200
_BATCH = 32
_FILLED_AT_ONCE = 2_000
_FACE = Face(
    Box(200, 120, 400, 380),
    Landmarks(*(Point(260.0 + 10 * n, 220.0) for n in range(5))),
    0.99,
    Pose(1.0, 2.0, 3.0),
    Quality(60.0, 70.0, 200.0),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a bulk enrolment; resident memory in MiB, after the warm-up and at the end."""

    pictures: int
    seconds: float
    resident_start: float
    resident_end: float


def _bulk(full: bool) -> Measurement:
    images = data("lfw_view1") / "images"
    count = _PICTURES_FULL if full else _PICTURES
    # In a process of its own, whose memory is its own.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        run = pool.apply(_enrol, (images, count))
    against = f"{run.pictures} JPEGs of 640x480 and one face, on SQLite, in {run.seconds:.0f} s"
    return Measurement(
        run.pictures / run.seconds,
        against,
        (
            Beside("resident-start", run.resident_start, "MiB", f"after {_WARM_UP} pictures"),
            Beside("resident-end", run.resident_end, "MiB", f"after {run.pictures} pictures"),
        ),
    )


def _acknowledgement(full: bool) -> Measurement:
    ms, batch_ms = acknowledged(1)
    return Measurement(
        statistics.median(ms),
        f"one reference, from its template to its commit and into the index; median of {len(ms)},"
        f" slowest {max(ms):.1f} ms; SQLite",
        (Beside("batch", batch_ms / _BATCH, "ms", f"a reference, of {_BATCH} in one commit"),),
    )


def acknowledged(held: int) -> tuple[list[float], float]:
    """Give how many ms each of some references waits that join `held` others, and then a batch."""
    with _home() as home:
        new = _references(home, held + _ACKNOWLEDGED + _BATCH)
        probe = next(new)
        others = chain([probe], islice(new, held - 1))
        while some := list(islice(others, _FILLED_AT_ONCE)):
            home.gallery.enrol(_COLLECTION, some)
        home.gallery.search(_COLLECTION, probe.template, 1)  # from now on the index follows
        home.gallery.snapshot(_COLLECTION)  # waits for what the index does in the background
        ms = [_ms_to_enrol(home, [one]) for one in islice(new, _ACKNOWLEDGED)]
        return ms, _ms_to_enrol(home, list(new))


FIGURES = (
    Figure("enrol-ack", "ms", at_most(15), _acknowledgement),
    Figure("bulk-enrol", "pictures/s", at_least(60, without_amx=20), _bulk),
)


def _enrol(images: Path, count: int) -> Run:
    pictures = _pictures(images)
    with _home() as home:
        finder = home.installation.finder(home.installation.engine(Workload.MANY))
        # Some of the photographs have bystanders.
        demands = Demands(any_quality=True, foremost=True)
        enroller = enroller_of(home, _COLLECTION, finder, demands)
        for _ in enroller.enrol(islice(pictures, _WARM_UP)):
            pass
        start = _resident_mib()
        begun = time.perf_counter()
        for result in enroller.enrol(islice(pictures, count)):
            if result.error is not None:
                raise result.error
        return Run(count, time.perf_counter() - begun, start, _resident_mib())


@contextmanager
def _home() -> Iterator[Home]:
    """A home on the repository's disk, with an empty collection."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        installation = Installation(settings(home=Path(folder)))
        cohort = installation.standards.cohort(installation.model)
        with Home(installation) as home:
            home.gallery.create(
                _COLLECTION,
                model=installation.model,
                dimensions=cohort.vectors.shape[1],
                cohort_version=cohort.version,
            )
            yield home


def _pictures(images: Path) -> Iterator[NamedPicture]:
    """Give photographs of a person each, enlarged to 640x480; without end, and none twice."""
    paths = pictures_in(images)
    jpegs = [_enlarged(path) for path in paths[:: len(paths) // _DISTINCT]]
    for number, jpeg in enumerate(cycle(jpegs)):
        # What follows the end of a JPEG makes its bytes others, and its pixels not.
        different = jpeg + number.to_bytes(8)
        yield NamedPicture(f"{number}.jpg", partial(inspect, different), f"person {number}")


def _enlarged(path: Path) -> bytes:
    canvas = np.full((480, 640, 3), 127, np.uint8)
    canvas[:, 80:560] = cv2.resize(cv2.imread(str(path)), (480, 480))
    return cv2.imencode(".jpg", canvas)[1].tobytes()


def _references(home: Home, count: int) -> Iterator[NewReference]:
    """Give references of as many people, with templates that spread as real ones do."""
    cohort = home.installation.standards.cohort(home.installation.model)
    version = cohort.version
    for numbers, vectors in SyntheticGallery(count).blocks():
        means, deviations = cohort.statistics(vectors)
        for number, vector, mean, deviation in zip(
            numbers.tolist(), vectors, means.tolist(), deviations.tolist(), strict=True
        ):
            even = CohortStatistics(mean, deviation, version)
            yield NewReference(
                Template(vector, home.installation.model, even),
                _FACE,
                number.to_bytes(32),
                (640, 480),
                f"person {number}",
            )


def _ms_to_enrol(home: Home, new: list[NewReference]) -> float:
    begun = time.perf_counter()
    home.gallery.enrol(_COLLECTION, new)
    return 1000 * (time.perf_counter() - begun)


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024
