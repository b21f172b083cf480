"""Faces that nobody named are proposed in groups, named, set aside, and proposed again."""

from dataclasses import replace
from uuid import UUID

import pytest

from likeness.errors import Denied
from likeness.gallery import NewReference
from likeness.service.enrol.proposals import Proposal, propose_people
from likeness.service.enrol.subject_changes import name_references, undo_subject_change
from likeness.service.enrol.unnamed import (
    ListedUnnamed,
    list_unnamed,
    propose_again,
    set_aside,
)
from likeness.service.uses import Caller, Home
from likeness.terms import Principal, Role
from tests.gallery.galleries import enrol
from tests.service.test_check_subjects import looks


def caller(home: Home) -> Caller:
    return Caller(home.somebody, "test")


def unnamed(home: Home, *seeds: int) -> list[UUID]:
    """Enrol a face of somebody for each seed, without a name; equal seeds look alike."""
    new = [
        replace(looks(home, seed, f"nobody {n}", n), subject=None) for n, seed in enumerate(seeds)
    ]
    return ids(home, new)


def ids(home: Home, new: list[NewReference]) -> list[UUID]:
    return [one.id for one in enrol(home.gallery, "staff", new)]


def propose(home: Home, **asked: int) -> Proposal:
    return propose_people(home, caller(home), "staff", **asked)


def listed(home: Home, proposal: Proposal, limit: int = 10, shown: int = 3) -> ListedUnnamed:
    return list_unnamed(home, caller(home), "staff", proposal.people, limit=limit, shown=shown)


def test_faces_that_look_alike_are_one_group_and_like_who_has_a_name(home: Home) -> None:
    enrol(home.gallery, "staff", [looks(home, 1, "Ada"), looks(home, 9, "Bo")])
    some = unnamed(home, 1, 2, 2, 2, 3, 4)

    proposal = propose(home)

    assert (proposal.compared, proposal.alone, proposal.after) == (6, 2, None)
    of_nobody, of_ada = proposal.people
    assert set(of_nobody.reference_ids) == set(some[1:4])
    assert (of_nobody.like_id, of_nobody.like_similarity) == (None, None)
    assert of_nobody.similarity is not None and 80 < of_nobody.similarity <= 100
    assert of_ada.reference_ids == (some[0],)
    first, second = listed(home, proposal).people
    assert first.like is None and second.like is not None
    assert (second.like.name, len(first.shown), len(second.shown)) == ("Ada", 3, 1)


def test_who_was_named_or_set_aside_is_listed_no_more(home: Home) -> None:
    some = unnamed(home, 1, 1, 2, 2)
    proposal = propose(home)
    assert len(listed(home, proposal).people) == 2

    name_references(home, caller(home), "staff", "Ada", some[:2])
    now = listed(home, proposal)
    assert [set(one.reference_ids) for one in now.people] == [set(some[2:])]
    assert (now.left, now.are_any, now.are_any_set_aside) == (1, True, False)

    assert set_aside(home, caller(home), "staff", some) == 2  # the others are somebody's
    now = listed(home, proposal)
    assert (now.people, now.are_any, now.are_any_set_aside) == ((), False, True)
    assert propose(home).compared == 0

    assert propose_again(home, caller(home), "staff") == 2
    assert [set(one.reference_ids) for one in propose(home).people] == [set(some[2:])]
    undo_subject_change(home, caller(home), "staff", "Ada")
    assert propose(home).compared == 4


def test_two_faces_of_one_picture_are_two_people(sqlite_home: Home) -> None:
    home = sqlite_home
    one, other = (replace(looks(home, 1, "x", n), subject=None) for n in (1, 2))
    moved = replace(other.face, box=replace(other.face.box, left=other.face.box.left + 200))
    beside = replace(other, sample_sha256=one.sample_sha256, face=moved)
    ids(home, [one, beside])
    proposal = propose(home)
    assert (proposal.people, proposal.alone) == ((), 2)


def test_a_face_enrolled_twice_from_one_picture_is_one_person(sqlite_home: Home) -> None:
    home = sqlite_home
    one = replace(looks(home, 1, "x"), subject=None)
    some = ids(home, [one, replace(one, external_id="again")])
    (person,) = propose(home).people
    assert set(person.reference_ids) == set(some)


def test_more_than_are_compared_at_once_are_looked_at_next(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sqlite_home
    monkeypatch.setattr("likeness.service.enrol.proposals.MOST_COMPARED", 2)
    some = unnamed(home, 1, 1, 2, 2)
    first = propose(home)
    assert first.after is not None
    second = propose(home, after=first.after)
    assert [set(one.reference_ids) for p in (first, second) for one in p.people] == [
        set(some[:2]),
        set(some[2:]),
    ]
    assert second.after is None


def test_nobody_is_proposed_where_none_is_unnamed(sqlite_home: Home) -> None:
    enrol(sqlite_home.gallery, "staff", [looks(sqlite_home, 1, "Ada")])
    proposal = propose(sqlite_home)
    assert (proposal.people, proposal.compared, proposal.alone) == ((), 0, 0)
    assert not listed(sqlite_home, proposal).are_any


def test_whoever_may_not_search_learns_of_nobody(sqlite_home: Home) -> None:
    unnamed(sqlite_home, 1, 1)
    reviewer = Caller(Principal("key:rex", Role.REVIEWER), "test")
    with pytest.raises(Denied):
        propose_people(sqlite_home, reviewer, "staff")
    with pytest.raises(Denied):
        set_aside(sqlite_home, reviewer, "staff", [])
