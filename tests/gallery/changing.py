"""Another model for galleries of synthetic people, how to get there, and imported cohorts."""

import multiprocessing.connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.gallery import (
    By,
    Change,
    FoundAgain,
    Gallery,
)
from likeness.terms import Calibration, CohortStatistics, Template
from tests.gallery.galleries import MODEL, Home, face, new, template

NEW_MODEL = "net@2+eyes@1"
NEW_DIMENSIONS = 24
NEW_COHORT = "cohort@2"
OWN_COHORT = "own@1"
OWN_MEAN = 0.25
# A sample's face lies elsewhere for the new model: by more than the place of a face is wide.
NEW_LEFT = 30.0


def new_vector(seed: int) -> NDArray[np.float32]:
    """What the new model makes of the face whose vector in the old one has this seed."""
    drawn = np.random.default_rng(seed + 1_000_000).normal(size=NEW_DIMENSIONS)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def new_template(seed: int) -> Template:
    return Template(new_vector(seed), NEW_MODEL, CohortStatistics(0.0, NEW_COHORT))


def begin_model(home: Home, gallery: Gallery, cohort: str = NEW_COHORT) -> Change:
    collection = gallery.collection("staff")
    return home.database.write(
        lambda c: collection.within(c).changes.begin(
            home.clock.now,
            model=NEW_MODEL,
            dimensions=NEW_DIMENSIONS,
            cohort_version=cohort,
        )
    )


def take_cohort_along(home: Home, gallery: Gallery, name: str = "staff") -> None:
    """Let a collection be evened out by a cohort that came with it, as an import does."""
    collection = gallery.collection(name)
    calibration = Calibration(MODEL, OWN_COHORT, (-1.0, 0.0), (1.0, 1e-3), 1000, "itself")
    content = f"{OWN_COHORT} {OWN_MEAN}".encode()

    def act(c: Connection) -> None:
        rows = collection.within(c)
        rows.keep_cohort(OWN_COHORT, content, calibration)
        rows.adopt_cohort(OWN_COHORT)

    home.database.write(act)


def stage(home: Home, gallery: Gallery, change: Change, at_most: int = 1_000_000) -> int:
    """Stage references that are not yet; say how many.

    The seed of a reference is its external id.
    """
    staff = gallery.collection("staff")
    numbers = staff.read(lambda rows: rows.changes.unstaged(change, limit=at_most))
    known = staff.read(lambda rows: rows.references.by_numbers(numbers))
    found = [
        FoundAgain(one, new_template(seed), face(NEW_LEFT))
        for one in known.values()
        for seed in [int(one.details.external_id or "")]
    ]
    home.database.write(lambda c: staff.within(c).changes.stage(change, found))
    return len(numbers)


def discard(home: Home, gallery: Gallery, change: Change) -> int:
    """Drop what is staged."""
    staff = gallery.collection("staff")
    return home.database.write(lambda c: staff.within(c).changes.discard(change, home.clock.now))


def fill(gallery: Gallery, people: int = 20) -> None:
    """Enrol people with two references each, whose seeds are their external ids; search them."""
    for person in range(people):
        seeds = (2 * person, 2 * person + 1)
        gallery.enrol(
            "staff", [new(seed, f"person {person}", external_id=str(seed)) for seed in seeds]
        )
    for by in By:
        gallery.search("staff", template(0), 1, by)


def run(url: str, folder: Path, said: multiprocessing.connection.Connection) -> None:
    """Change a collection until killed, a few references at a time; say how far it is."""
    home = Home(url, folder)
    gallery = home.open()
    collection = gallery.collection("staff")
    change = collection.read(lambda rows: rows.changes.find())
    if change is None:
        change = begin_model(home, gallery)
    said.send("begun")
    while stage(home, gallery, change, at_most=5):
        said.send("staged")
    gallery.search("staff", template(0), 1)
    gallery.snapshot("staff")
    said.send("switching")
    gallery.switch(change)
    said.send("switched")
    while True:
        gallery.search("staff", new_template(0), 1)
