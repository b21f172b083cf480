"""References given to subjects and taken from them: every search follows at once."""

from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select

from likeness.errors import Conflict, NotFound
from likeness.gallery import By, Erasure, Gallery, Reference, Subject
from likeness.gallery.tables import REASSIGNMENTS
from likeness.terms import CohortStatistics, Template
from tests.gallery import erase
from tests.gallery.galleries import (
    COHORT,
    MODEL,
    Home,
    at,
    length,
    make,
    make_exact,
    make_faiss,
    new,
    template,
    vector,
)


def subject(home: Home, gallery: Gallery, name: str) -> Subject:
    """Make a subject without references, as a service does."""
    seal = gallery.open("staff")[1].seal
    return home.database.write(lambda c: at(c, seal).subjects.create(name, home.clock.now))


def unnamed(gallery: Gallery, *seeds: int) -> list[UUID]:
    return [one.id for one in gallery.enrol("staff", [new(seed) for seed in seeds])]


def fused(*seeds: int) -> Template:
    mean = np.sum([vector(seed) for seed in seeds], axis=0)
    return Template(mean / np.linalg.norm(mean), MODEL, CohortStatistics(0.0, COHORT))


def is_fused_of(gallery: Gallery, name: str, *seeds: int) -> bool:
    """Whether the subject's fused template is that of the faces with these seeds."""
    best = gallery.search("staff", fused(*seeds), 1, By.SUBJECT)
    return bool(
        best
        and best[0].subject
        and best[0].subject.name == name
        and best[0].comparison.raw_score > 0.9999
    )


def by_best(gallery: Gallery, seed: int) -> str | None:
    (best,) = gallery.search("staff", template(seed), 1)
    assert best.comparison.raw_score > 0.9999
    return best.subject.name if best.subject else None


def open_both(gallery: Gallery) -> None:
    for by in By:
        gallery.search("staff", template(0), 1, by)


@pytest.mark.parametrize("opened", [True, False])
def test_given_and_taken_references_are_searched_as_such_at_once(
    home: Home, gallery: Gallery, opened: bool
) -> None:
    ids = unnamed(gallery, 1, 2, 3)
    ada = subject(home, gallery, "Ada")
    if opened:
        open_both(gallery)
        assert gallery.search("staff", template(1), 1, By.SUBJECT) == []

    gallery.give_references("staff", ada.id, ids[:2])
    assert is_fused_of(gallery, "Ada", 1, 2)
    assert [by_best(gallery, seed) for seed in (1, 2, 3)] == ["Ada", "Ada", None]

    gallery.give_references("staff", ada.id, ids)  # two are theirs already
    assert is_fused_of(gallery, "Ada", 1, 2, 3)

    gallery.take_references("staff", ada.id, ids[:1])
    assert is_fused_of(gallery, "Ada", 2, 3)
    assert by_best(gallery, 1) is None

    gallery.take_references("staff", ada.id, ids[1:])
    assert gallery.search("staff", template(2), 1, By.SUBJECT) == []
    size = gallery.size("staff")
    assert (size.subjects, size.references) == (1, 3)


def test_what_is_anothers_or_nobodys_is_neither_given_nor_taken(
    home: Home, gallery: Gallery
) -> None:
    (hers,) = gallery.enrol("staff", [new(1, "Ada")])
    free, other = unnamed(gallery, 2, 3)
    bo = subject(home, gallery, "Bo")

    with pytest.raises(Conflict, match=f"{hers.id} is another subject's"):
        gallery.give_references("staff", bo.id, [free, hers.id])
    with pytest.raises(Conflict, match=f"{other} is not subject"):
        gallery.take_references("staff", bo.id, [other])
    with pytest.raises(NotFound):
        gallery.give_references("staff", bo.id, [free, uuid4()])
    with pytest.raises(NotFound):
        gallery.take_references("staff", uuid4(), [hers.id])

    assert [by_best(gallery, seed) for seed in (1, 2)] == ["Ada", None]


def test_references_of_another_collection_are_not_given(home: Home, gallery: Gallery) -> None:
    make(gallery, "visitors")
    (visitor,) = gallery.enrol("visitors", [new(1)])

    with pytest.raises(NotFound):
        gallery.give_references("staff", subject(home, gallery, "Ada").id, [visitor.id])


@pytest.mark.slow
@pytest.mark.parametrize("make_index", [make_exact, make_faiss])
@pytest.mark.parametrize("saved", ["before", "after", "never"])
def test_index_follows_assignments_across_a_kill(home: Home, make_index: Any, saved: str) -> None:
    first = home.open(make_index)
    make(first)
    first.enrol("staff", [new(seed, f"person {seed}") for seed in range(10)])
    ids = unnamed(first, 20, 21)
    ada = subject(home, first, "Ada")
    (bo,) = first.enrol("staff", [new(30, "Bo")])
    open_both(first)
    if saved == "before":
        first.snapshot("staff")
    first.give_references("staff", ada.id, ids)
    first.take_references("staff", subject_of(home, first, "Bo"), [bo.id])
    if saved == "after":
        first.snapshot("staff")
    first._lock.release()  # as a kill would

    with home.open(make_index) as again:
        assert is_fused_of(again, "Ada", 20, 21)
        assert by_best(again, 30) is None
        assert length(again.open("staff")[1].subjects) == 11
        assert is_fused_of(again, "person 4", 4)


def subject_of(home: Home, gallery: Gallery, name: str) -> UUID:
    seal = gallery.open("staff")[1].seal
    return home.database.read(lambda c: at(c, seal).subjects.get(name)).id


def test_reference_given_in_the_same_act_as_it_is_enrolled_is_followed(
    home: Home, gallery: Gallery
) -> None:
    ada = subject(home, gallery, "Ada")
    open_both(gallery)
    collection, opened = gallery.open("staff")

    def act(c: Any) -> tuple[list[Reference], int]:
        enrolled = at(c, opened.seal, collection).references.enrol([new(1)], home.clock.now)
        return enrolled, at(c, opened.seal).give(ada.id, [enrolled[0].id])

    enrolled, number = home.database.write(act)
    collection.follow(enrolled)
    collection.follow_assignment(number)

    assert is_fused_of(gallery, "Ada", 1)


@pytest.mark.parametrize("saved", [True, False])
def test_dissolved_subject_is_gone_and_the_references_stay(
    home: Home, gallery: Gallery, saved: bool
) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada"), new(3, "Bo")])
    open_both(gallery)
    if saved:
        gallery.snapshot("staff")
    ada = subject_of(home, gallery, "Ada")

    certificate = erase.subject_alone(gallery, "staff", ada)

    assert (certificate.erased.subject_ids, certificate.erased.references) == ((ada,), 0)
    assert gallery.erasing.verify(certificate).holds
    assert [by_best(gallery, seed) for seed in (1, 2, 3)] == [None, None, "Bo"]
    gallery.close()
    with home.open() as again:
        assert [by_best(again, seed) for seed in (1, 2, 3)] == [None, None, "Bo"]
        assert length(again.open("staff")[1].subjects) == 1
        size = again.size("staff")
        assert (size.subjects, size.references) == (1, 3)
    if home.url.startswith("sqlite"):
        assert ada.bytes not in home.bytes_on_disk().replace(ada.bytes + b"certificate", b"")


def test_one_row_of_each_subject_says_that_it_was_changed_or_is_gone(
    home: Home, gallery: Gallery
) -> None:
    ids = unnamed(gallery, 1, 2)
    ada = subject(home, gallery, "Ada")
    for _ in range(3):
        gallery.give_references("staff", ada.id, ids)
        gallery.take_references("staff", ada.id, ids)
    (row,) = home.database.read(lambda c: c.execute(select(REASSIGNMENTS)).all())
    assert row.subject_number == ada.number

    erase.subject(gallery, "staff", ada.id)

    (last,) = home.database.read(lambda c: c.execute(select(REASSIGNMENTS)).all())
    assert (last.subject_number, last.number > row.number) == (ada.number, True)


def test_references_that_are_nobodys_are_erased_in_a_callers_act(
    home: Home, gallery: Gallery
) -> None:
    (hers,) = gallery.enrol("staff", [new(1, "Ada")])
    free, gone = unnamed(gallery, 2, 3)
    erase.some_references(gallery, "staff", [gone])
    collection, opened = gallery.open("staff")
    wanted = [hers.id, free, gone]

    def act(c: Any) -> tuple[set[UUID], set[UUID], Erasure]:
        found = at(c, opened.seal).references.page(ids=wanted)
        held = {one.id for one in found if one.subject_number is not None}
        free = {one.id for one in found} - held
        begun = collection.within(c).begin_erasure(home.clock.now, reference_ids=list(free))
        return held, set(wanted) - held - free, begun

    held, missing, begun = home.database.write(act)
    (certificate,) = gallery.erasing.finish([begun])

    assert (held, missing) == ({hers.id}, {gone})
    assert certificate.erased.references == 1
    assert gallery.erasing.verify(certificate).holds
    assert gallery.size("staff").references == 1
    assert by_best(gallery, 1) == "Ada"
