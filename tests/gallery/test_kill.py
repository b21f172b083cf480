"""Kill -9 at random moments: what was acknowledged is found, what was erased is gone, no orphans.

What a subject is searched by is always what the rows of their references fuse to.

`LIKENESS_KILLS=200` kills as often by hand.
"""

import multiprocessing
import os
import random
import time

import pytest
from sqlalchemy import Column, func, select

from likeness.errors import NotFound
from likeness.gallery import By, Gallery, Size, erasure_rows
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.rows_as_vectors import subject_vectors
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.terms import Template
from tests.gallery.enrolling_and_erasing import REFERENCES_EACH, run
from tests.gallery.galleries import Home, length, make, template

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LIKENESS_KILLS", "3"))
_LONGEST_S = 0.6


class Told:
    """What the killed programs said, altogether."""

    def __init__(self) -> None:
        self.enrolling: set[int] = set()
        self.enrolled: set[int] = set()
        self.moving: set[int] = set()
        self.moved: set[int] = set()
        self.erasing: set[int] = set()
        self.erased: set[int] = set()

    def take(self, what: str, number: int) -> None:
        getattr(self, what).add(number)

    @property
    def next(self) -> int:
        return max(self.enrolling, default=-1) + 1

    @property
    def certain(self) -> set[int]:
        """Who has to be there."""
        return self.enrolled - self.erasing

    @property
    def possible(self) -> set[int]:
        """Who may be there: also who was just committed, or was not erased yet."""
        return self.enrolling - self.erased


def kill_one(home: Home, told: Told, seed: int) -> None:
    """Let a program enrol and erase, kill it at some moment, and take down what it said."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.gallery.enrolling_and_erasing"])
    hears, says = context.Pipe(duplex=False)
    arguments = (home.url, home.folder, told.next, seed, says)
    program = context.Process(target=run, args=arguments)
    program.start()
    says.close()
    draw = random.Random(seed)
    # Every fourth is killed wherever it is, perhaps while it still opens; others once it works.
    if seed % 4:
        told.take(*hears.recv())
    time.sleep(draw.random() * _LONGEST_S)
    program.kill()
    try:
        while True:
            told.take(*hears.recv())
    except EOFError:
        hears.close()
    program.join()
    assert program.exitcode == -9


def sizes(gallery: Gallery, home: Home) -> dict[str, int]:
    """Who has rows, by name, and how many references."""
    seal = gallery.open("staff")[1].seal
    statement = (
        select(SUBJECTS.c.id, SUBJECTS.c.sealed_name, func.count(REFERENCES.c.number))
        .outerjoin(REFERENCES, REFERENCES.c.subject_number == SUBJECTS.c.number)
        .group_by(SUBJECTS.c.number)
    )
    rows = home.database.read(lambda connection: connection.execute(statement).all())
    return {seal.opened_name(id, name): count for id, name, count in rows}


def in_rows(home: Home, of: Column[int]) -> set[int]:
    """The numbers that references have, of their own or of their subjects."""
    numbers = select(of).where(of.is_not(None))
    return home.database.read(lambda connection: set(connection.execute(numbers).scalars()))


def check(home: Home, told: Told, seed: int) -> None:
    with home.open() as gallery:
        assert home.database.read(erasure_rows.pending) == []
        named = sizes(gallery, home)
        there = {int(name.split()[1]) for name in named if name.startswith("person")}
        assert told.certain <= there <= told.possible
        for person in there:
            own, friends = named[f"person {person}"], named.get(f"friend {person}")
            if person not in told.moving:
                assert (own, friends) == (REFERENCES_EACH, None)
            elif person in told.moved:
                assert (own, friends) == (REFERENCES_EACH - 1, 1)
            else:  # taken or not, and given only if taken
                assert (own, friends) in [(2, None), (1, None), (1, 0), (1, 1)]
        opened = gallery.open("staff")[1]
        for following, number in (
            (opened.references, REFERENCES.c.number),
            (opened.subjects, REFERENCES.c.subject_number),
        ):
            wanted = in_rows(home, number)
            assert saved(following) <= in_rows(home, number) | emptied(home)
            assert length(following) == len(wanted)
            assert set(following._index.ids().tolist()) == wanted
        assert gallery.size("staff") == Size(len(named), len(in_rows(home, REFERENCES.c.number)))
        for person in random.Random(seed).sample(sorted(there), min(20, len(there))):
            assert best_of(gallery, probe(person), By.BEST) == f"person {person}"
        for number in random.Random(seed).sample(sorted(wanted), min(40, len(wanted))):
            assert is_fused_of_the_rows(home, gallery, number)
        for person in told.erased:
            for candidate in gallery.search("staff", probe(person), 3, By.REFERENCE):
                assert candidate.comparison.raw_score < 0.999


def saved(following: FollowingIndex) -> set[int]:
    """The ids that a snapshot holds."""
    folder = following._folder
    try:
        names = folder.manifest().segments
    except NotFound:
        return set()
    return {id for name in names for id in folder.read_segment(name).ids.tolist()}


def probe(person: int) -> Template:
    return template(REFERENCES_EACH * person)


def emptied(home: Home) -> set[int]:
    """The subjects without references, which a snapshot may still hold what they had of."""
    theirs = select(REFERENCES.c.subject_number).where(REFERENCES.c.subject_number.is_not(None))
    without = select(SUBJECTS.c.number).where(SUBJECTS.c.number.not_in(theirs))
    return home.database.read(lambda connection: set(connection.execute(without).scalars()))


def is_fused_of_the_rows(home: Home, gallery: Gallery, number: int) -> bool:
    """Whether the index holds of a subject what the references in their rows fuse to."""
    opened = gallery.open("staff")[1]
    truth = home.database.read(lambda c: subject_vectors(c, opened.seal, [number]))
    _, found = opened.subjects.search(truth.vectors[0], 1)
    return bool(found.ids[0, 0] == number and found.scores[0, 0] > 0.9999)


def best_of(gallery: Gallery, of: Template, by: By) -> str:
    (best,) = gallery.search("staff", of, 1, by)
    assert best.subject is not None
    return best.subject.name


def test_kill_9_loses_nothing_acknowledged_and_leaves_no_orphan(home: Home) -> None:
    with home.open() as gallery:
        make(gallery)
    told = Told()
    for seed in range(KILLS):
        kill_one(home, told, seed)
        check(home, told, seed)
    assert told.enrolled
