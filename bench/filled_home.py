"""A home on the repository's disk whose collection holds many references, and portraits to use."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from bench.synthetic_gallery import SyntheticGallery
from bench.workplace import OUT, data, pictures_in, settings
from likeness.app import Installation
from likeness.app import home as app
from likeness.gallery import NewReference
from likeness.service.enrol.collections import create_collection
from likeness.service.uses import Caller, Home
from likeness.terms import Box, CohortStatistics, Face, Landmarks, Point, Pose, Quality, Template
from tests.gallery.galleries import enrol

COLLECTION = "bench"
FILLED_AT_ONCE = 2_000
_DISTINCT = 64
_FACE = Face(
    Box(200, 120, 400, 380),
    Landmarks(*(Point(260.0 + 10 * n, 220.0) for n in range(5))),
    0.99,
    Pose(1.0, 2.0, 3.0),
    Quality(60.0, 70.0, 200.0),
)


def open_home(folder: Path) -> AbstractContextManager[Home]:
    """Open a home in a folder."""
    return app.open_home(Installation(settings(home=folder)))


def make_collection(home: Home) -> None:
    """Make an empty collection for the model in force, on record as any is."""
    create_collection(home, Caller(home.somebody, "CreateCollection"), COLLECTION)


def filled_folder(references: int) -> Path:
    """Give the folder of a home with so many references, made where a former run left none."""
    folder = OUT / f"filled-{references}"
    whole = folder / "whole"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f".{folder.name}.likeness").unlink(missing_ok=True)  # that it was there
        with open_home(folder) as home:
            make_collection(home)
            new = references_of(home, references)
            while some := list(islice(new, FILLED_AT_ONCE)):
                enrol(home.gallery, COLLECTION, some)
            if references:
                home.gallery.collection(COLLECTION).search(some_template(home), 1)
                snapshot(home)
        whole.touch()
    return folder


def snapshot(home: Home) -> None:
    """Write what makes the next start fast, once what the index does in the background is done."""
    gallery = home.gallery
    gallery.in_use.open(gallery.collection(COLLECTION)).snapshot()


def some_template(home: Home) -> Template:
    """Give the template of one of the references."""
    return next(references_of(home, 1)).template


def references_of(home: Home, count: int) -> Iterator[NewReference]:
    """Give references of as many people, with templates that spread as real ones do."""
    model = home.templates_of(None).model
    cohort = home.standards.cohort(model)
    version = cohort.version
    for numbers, vectors in SyntheticGallery(count, cohort.vectors.shape[1]).blocks():
        means = cohort.means(vectors)
        for number, vector, mean in zip(numbers.tolist(), vectors, means.tolist(), strict=True):
            even = CohortStatistics(mean, version)
            yield NewReference(
                Template(vector, model, even),
                _FACE,
                number.to_bytes(32),
                (640, 480),
                f"person {number}",
            )


def portraits() -> list[bytes]:
    """Give photographs of a person each, as JPEGs of 640x480."""
    paths = pictures_in(data("lfw_view1") / "images")
    return [_enlarged(path) for path in paths[:: len(paths) // _DISTINCT]]


def _enlarged(path: Path) -> bytes:
    canvas = np.full((480, 640, 3), 127, np.uint8)
    canvas[:, 80:560] = cv2.resize(cv2.imread(str(path)), (480, 480))
    return cv2.imencode(".jpg", canvas)[1].tobytes()
