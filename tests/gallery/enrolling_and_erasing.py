"""The program that test_kill.py kills: it enrols, reassigns and erases, and says what it did."""

import random
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from likeness.gallery import By, Gallery, indexes
from tests.gallery import erase
from tests.gallery.galleries import Home, at, face, new, template

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


def move(number: int, subject_id: UUID, home: Home, gallery: Gallery) -> None:
    """Take a person's last reference, and give it to a subject that is made for it."""
    seal = gallery.open("staff")[1].seal
    theirs = home.database.read(lambda c: at(c, seal).references.of_subject(subject_id))
    gallery.take_references("staff", subject_id, [theirs[-1].id])
    now, name = home.clock.now, f"friend {number}"
    friend = home.database.write(lambda c: at(c, seal).subjects.create(name, now))
    gallery.give_references("staff", friend.id, [theirs[-1].id])
    for named, seed in ((f"person {number}", 0), (name, 1)):
        probe = template(REFERENCES_EACH * number + seed)
        (best,) = gallery.search("staff", probe, 1, By.SUBJECT)
        assert best.subject is not None and best.subject.name == named
        assert best.comparison.raw_score > 0.999


def run(url: str, folder: Path, first: int, seed: int, said: Connection) -> None:
    """Enrol persons from number `first` on, erase some of them; say so before and after."""
    indexes.SNAPSHOT_AFTER = 16
    draw = random.Random(seed)
    home = Home(url, folder)
    gallery = home.open()
    for by in By:
        gallery.search("staff", template(0), 1, by)
    known: dict[int, UUID] = {}
    for number in range(first, first + 1_000_000):
        said.send(("enrolling", number))
        known[number] = person(number, gallery)
        said.send(("enrolled", number))
        if draw.random() < 0.4:
            said.send(("moving", number))
            move(number, known[number], home, gallery)
            said.send(("moved", number))
        if draw.random() < 0.4:
            gone = draw.choice(list(known))
            said.send(("erasing", gone))
            certificate = erase.subject(gallery, "staff", known.pop(gone))
            assert gallery.erasing.verify(certificate).holds
            said.send(("erased", gone))
