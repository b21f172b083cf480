"""The program that test_kill.py kills: it enrols and erases until then, and says what it did."""

import random
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from likeness.gallery import open_collection
from likeness.gallery.gallery import Gallery
from likeness.gallery.search import By
from tests.gallery.galleries import Home, face, new, template

REFERENCES_EACH = 2


def person(number: int, gallery: Gallery) -> UUID:
    """Enrol a person, and give their id."""
    faces = [
        new(REFERENCES_EACH * number + n, f"person {number}", face=face(100.0 * n))
        for n in range(REFERENCES_EACH)
    ]
    gallery.enrol("staff", faces)
    (best,) = gallery.search("staff", faces[0].template, 1)
    assert best.subject is not None and best.subject.name == f"person {number}"
    return best.subject.id


def run(url: str, folder: Path, first: int, seed: int, said: Connection) -> None:
    """Enrol persons from number `first` on, erase some of them; say so before and after."""
    open_collection.SNAPSHOT_AFTER = 16
    draw = random.Random(seed)
    gallery = Home(url, folder).open()
    for by in By:
        gallery.search("staff", template(0), 1, by)
    known: dict[int, UUID] = {}
    for number in range(first, first + 1_000_000):
        said.send(("enrolling", number))
        known[number] = person(number, gallery)
        said.send(("enrolled", number))
        if draw.random() < 0.4:
            gone = draw.choice(list(known))
            said.send(("erasing", gone))
            certificate = gallery.erase_subject("staff", known.pop(gone))
            assert gallery.verify_certificate(certificate).holds
            said.send(("erased", gone))
