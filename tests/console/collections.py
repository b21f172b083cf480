"""Collections that tests make for themselves, with people whose faces are discs."""

import itertools
from collections.abc import Mapping
from uuid import UUID

from tests.console.conftest import Pages
from tests.console.people import Person, Shown
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc

_NUMBERS = itertools.count()
ROSA, AMIR, LIN = "Rosa Marín", "Amir", "Lin 林"
PICTURES: Mapping[str, bytes] = {ROSA: disc(RED), AMIR: disc(GREEN), LIN: disc(BLUE)}


def make_collection(pages: Pages, by: Person, name: str | None = None) -> str:
    """Make a collection; gives its name."""
    name = name or f"people-{next(_NUMBERS)}"
    made = by.send(by.see("/console/collections"), "/console/collections", {"name": name})
    assert made.status == 200, made.text
    return name


def enrol(by: Person, name: str, *whom: str, **fields: str) -> Shown:
    """Enrol people by the names of their files."""
    path = f"/console/collections/{name}/enrol"
    files = [("pictures", (f"{one}.png", PICTURES[one])) for one in whom]
    return by.send(by.see(path), path, {"whose": "file", **fields}, files=files)


def subject_ids(pages: Pages, name: str) -> dict[str, UUID]:
    """Give the ids of the people of a collection, by name."""
    of = pages.home.gallery.collection(name)
    return {one.name: one.id for one in of.read(lambda its: its.subjects.page())}
