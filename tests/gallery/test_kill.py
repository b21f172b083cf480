"""Kill -9 at random moments: what was acknowledged is found, what was erased is gone, no orphans.

`LIKENESS_KILLS=200` kills as often by hand.
"""

import multiprocessing
import os
import random
import time
from dataclasses import replace

import numpy as np
from sqlalchemy import func, select

from likeness.errors import NotFound
from likeness.gallery import erasure
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.gallery import Gallery
from likeness.gallery.search import By
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.terms.template import Template
from tests.gallery.enrolling_and_erasing import REFERENCES_EACH, run
from tests.gallery.galleries import Home, make, template

KILLS = int(os.environ.get("LIKENESS_KILLS", "3"))
_LONGEST_S = 0.6


class Told:
    """What the killed programs said, altogether."""

    def __init__(self) -> None:
        self.enrolling: set[int] = set()
        self.enrolled: set[int] = set()
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


def people(gallery: Gallery, home: Home) -> dict[int, int]:
    """Who has rows, by the number in their name; and how many references."""
    seal = gallery.open("staff")[1].seal
    statement = (
        select(SUBJECTS.c.id, SUBJECTS.c.sealed_name, func.count(REFERENCES.c.number))
        .outerjoin(REFERENCES, REFERENCES.c.subject_number == SUBJECTS.c.number)
        .group_by(SUBJECTS.c.number)
    )
    rows = home.database.read(lambda connection: connection.execute(statement).all())
    return {int(seal.opened_name(id, name).split()[1]): count for id, name, count in rows}


def check(home: Home, told: Told, seed: int) -> None:
    with home.open() as gallery:
        assert home.database.read(erasure.pending) == []
        there = people(gallery, home)
        assert told.certain <= set(there) <= told.possible
        assert set(there.values()) <= {REFERENCES_EACH}
        opened = gallery.open("staff")[1]
        numbers = (REFERENCES.c.number, SUBJECTS.c.number)
        for following, number in zip((opened.references, opened.subjects), numbers, strict=True):
            in_rows = home.database.read(lambda c, n=number: set(c.execute(select(n)).scalars()))
            assert saved(following) <= in_rows
            assert len(following) == len(in_rows)
            assert set(following._index.ids().tolist()) == in_rows
        for person in random.Random(seed).sample(sorted(there), min(20, len(there))):
            assert best_of(gallery, probe(person), By.BEST) == f"person {person}"
            assert best_of(gallery, fused_probe(person), By.SUBJECT) == f"person {person}"
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


def fused_probe(person: int) -> Template:
    own = range(REFERENCES_EACH * person, REFERENCES_EACH * (person + 1))
    mean = np.mean([template(seed).vector for seed in own], axis=0)
    return replace(probe(person), vector=mean / np.linalg.norm(mean))


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
