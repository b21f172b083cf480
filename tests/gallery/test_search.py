"""Who is searched: the very collection that was found, whatever has its name meanwhile."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from likeness.errors import NotFound
from likeness.gallery import By, Gallery, search
from likeness.terms import SAME_PICTURE, SeenFace
from tests.gallery import erase
from tests.gallery.galleries import face, make, new, template


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


# The very face of the very picture


def looked_at(seed: int, left: float = 12.0) -> SeenFace:
    """A second look at the face that `new(seed)` enrols, a little off."""
    return SeenFace(new(seed).sample_sha256, face(left).box)


@pytest.mark.parametrize("by", By)
def test_the_face_of_an_enrolled_picture_is_that_whatever_its_template_is_now(
    gallery: Gallery, by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FEWEST_PROPOSED", 1)
    gallery.enrol("staff", [new(seed, f"person {seed}") for seed in range(40)])
    probe = template(1_000)
    usual = gallery.search("staff", probe, 40, by)
    assert not any(one.comparison.is_identical for one in usual)
    last = usual[-1]
    assert last.subject is not None
    seed = int(last.subject.name.split()[1])

    (best,) = gallery.search("staff", probe, 1, by, looked_at(seed))

    assert (best.subject, best.comparison) == (last.subject, SAME_PICTURE)
    ids = [(last.reference or last.subject).id]
    (alone,) = gallery.search_in(
        gallery.collection("staff"), probe, 1, by, ids, seen=looked_at(seed)
    )
    assert alone.comparison == SAME_PICTURE
    every = gallery.search("staff", probe, 40, by, looked_at(seed))
    assert [one.comparison.is_identical for one in every] == [True] + 39 * [False]


@pytest.mark.parametrize("seen", [looked_at(1, left=60.0), looked_at(2)])
def test_another_face_of_the_picture_and_another_picture_are_not_that_face(
    gallery: Gallery, seen: SeenFace
) -> None:
    gallery.enrol("staff", [new(1, "Ada")])
    (best,) = gallery.search("staff", template(1_000), 1, seen=seen)
    assert not best.comparison.is_identical


def test_the_face_of_an_erased_picture_is_nobodys(gallery: Gallery) -> None:
    ada, _ = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bo")])
    erase.some_references(gallery, "staff", [ada.id])
    found = gallery.search("staff", template(1_000), 3, seen=looked_at(1))
    assert [one.comparison.is_identical for one in found] == [False]


def test_a_warm_search_reads_rows_twice(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Bo")])
    gallery.collection("staff").search(template(1), 1)
    read, reads = gallery.database.read, list[object]()

    def counted(act: Callable[[Connection], object]) -> object:
        reads.append(act)
        return read(act)

    monkeypatch.setattr(gallery.database, "read", counted)
    staff = gallery.collection("staff")
    (best,) = staff.search(template(1), 1)
    assert best.subject is not None
    assert (best.subject.name, staff.size.references, staff.tags) == ("Ada", 2, {})
    assert staff.measured_then() is None
    assert len(reads) == 2
