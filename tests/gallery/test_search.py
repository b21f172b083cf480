"""Who is searched: the very collection that was found, whatever has its name meanwhile."""

from uuid import uuid4

import pytest

from likeness.errors import NotFound
from likeness.gallery.gallery import Gallery
from likeness.gallery.search import By
from tests.gallery import erase
from tests.gallery.galleries import make, new, template


def test_a_collection_that_took_the_name_of_one_found_before_is_not_searched(
    gallery: Gallery,
) -> None:
    gallery.enrol("staff", [new(1, "Ada")])
    found = gallery.collection("staff")
    assert gallery.search_in(found, template(1), 1)

    erase.collection(gallery, "staff")
    make(gallery, "staff")
    gallery.enrol("staff", [new(1, "Grace")])

    with pytest.raises(NotFound, match="is erased"):
        gallery.search_in(found, template(1), 1)


def test_some_references_alone_are_compared_with_as_a_search_does(gallery: Gallery) -> None:
    enrolled = gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada"), new(3)])
    staff = gallery.collection("staff")
    everybody = gallery.search_in(staff, template(1), 3, By.REFERENCE)
    last = everybody[-1]
    assert last.reference is not None

    for by in (By.REFERENCE, By.BEST):
        (again,) = gallery.search_in(staff, template(1), 3, by, [last.reference.id])
        assert (again.reference, again.subject) == (last.reference, last.subject)
        assert again.comparison.score == pytest.approx(last.comparison.score)
    ids = [one.id for one in enrolled]
    assert gallery.search_in(staff, template(1), 1, By.REFERENCE, ids) == everybody[:1]
    like_first = gallery.search_reference("staff", ids[0], 3, By.REFERENCE)
    again = gallery.search_reference("staff", ids[0], 3, By.REFERENCE, ids[2:])
    wanted = [one for one in like_first if one.reference and one.reference.id == ids[2]]
    assert [one.comparison.score for one in again] == pytest.approx(
        [one.comparison.score for one in wanted]
    )

    erase.some_references(gallery, "staff", ids[2:])
    assert gallery.search_in(staff, template(1), 3, By.REFERENCE, ids[2:]) == []


def test_some_fused_subjects_alone_are_compared_with_as_a_search_does(gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada"), new(3, "Grace")])
    staff = gallery.collection("staff")
    everybody = gallery.search_in(staff, template(1), 2, By.SUBJECT)
    for one in everybody:
        assert one.subject is not None
        (again,) = gallery.search_in(staff, template(1), 2, By.SUBJECT, [one.subject.id])
        assert again.subject == one.subject
        assert again.comparison.score == pytest.approx(one.comparison.score)
    assert gallery.search_in(staff, template(1), 2, By.SUBJECT, [uuid4()]) == []
