"""People of a collection are looked through by page, by name and by id, and erased together."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from likeness.errors import Denied, InvalidRequest, NotFound
from likeness.service.enrol import browse
from likeness.service.enrol.collections import tag_collection
from likeness.service.enrol.sources import read_source
from likeness.service.erase.certificates import verify_certificate
from likeness.service.erase.subjects import erase_subjects
from likeness.service.uses import Caller, Home, NoSuchCollection
from likeness.terms import Principal, Role
from tests.gallery.galleries import enrol
from tests.service.people import BLUE, RED, draw, enroller, home_at, make, person

NAMES = ("Rosa Marín", "Amir", "rosa", "ROSALIND", "Lin")


def caller(role: Role = Role.ADMIN, *purposes: str) -> Caller:
    return Caller(Principal("local:test", role, purposes=purposes), "test")


def people(home: Home, *names: str) -> dict[str, UUID]:
    enrol(home.gallery, "staff", [person(home, seed, name) for seed, name in enumerate(names)])
    of = home.gallery.collection("staff")
    return {one.name: one.id for one in of.read(lambda its: its.subjects.page())}


def found(home: Home, words: str, after: int = 0, limit: int = 10) -> browse.FoundSubjects:
    return browse.find_subjects(home, caller(), "staff", words, after=after, limit=limit)


def names(page: browse.FoundSubjects) -> list[str]:
    return [one.subject.name for one in page.listed]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("rosa", ["rosa", "Rosa Marín", "ROSALIND"]),  # whose name it is comes first
        ("MARI\u0301N", ["Rosa Marín"]),
        ("i", ["Amir", "ROSALIND", "Lin"]),
        ("nobody", []),
    ],
)
def test_people_are_found_by_a_part_of_their_name(
    home: Home, words: str, expected: list[str]
) -> None:
    people(home, *NAMES)
    page = found(home, words)
    assert names(page) == expected
    assert (page.after, page.looked_through) == (None, 5)
    assert all(one.references == 1 for one in page.listed)


def test_a_look_through_many_goes_on_where_it_stopped(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "_AT_A_TIME", 2)
    monkeypatch.setattr(browse, "_LOOKED_THROUGH", 4)
    people(sqlite_home, *NAMES)
    first = found(sqlite_home, "Lin")
    assert names(first) == ["Lin", "ROSALIND"]
    assert first.after is not None
    second = found(sqlite_home, "Lin", after=first.after)
    assert (names(second), second.after) == ([], None)
    # So many as are wanted end a page, too, and nobody is passed over.
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = found(sqlite_home, "a", after=after, limit=1)
        seen += names(page)
        after = page.after
    assert seen == ["Rosa Marín", "Amir", "rosa", "ROSALIND"]


def test_a_subject_is_shown_by_id_with_a_page_of_references(home: Home) -> None:
    new = [person(home, seed, "Rosa") for seed in range(3)]
    enrol(home.gallery, "staff", new)
    (rosa,) = home.gallery.collection("staff").read(lambda its: its.subjects.page())
    shown = browse.show_subject(home, caller(), "staff", rosa.id, after=0, limit=2)
    assert shown.subject.name == "Rosa"
    assert (len(shown.references.listed), shown.references.total) == (2, 3)
    after = shown.references.after
    assert after is not None
    rest = browse.show_subject(home, caller(), "staff", rosa.id, after=after, limit=2)
    assert (len(rest.references.listed), rest.references.after) == (1, None)


def test_nobody_of_another_collection_is_shown_or_erased(sqlite_home: Home) -> None:
    home = sqlite_home
    theirs = people(home, "Rosa")["Rosa"]
    make(home, "others")
    for one in (theirs, uuid4()):
        with pytest.raises(NotFound):
            browse.show_subject(home, caller(), "others", one, after=0, limit=1)
        with pytest.raises(NotFound):
            browse.name_subjects(home, caller(), "others", [one])
        with pytest.raises(NotFound):
            erase_subjects(home, caller(), "others", [one], lambda subjects, references: None)
    with pytest.raises(NoSuchCollection):
        browse.name_subjects(home, caller(), "nowhere", [theirs])
    with pytest.raises(InvalidRequest):
        found(home, "x" * 300)
    with pytest.raises(Denied):
        browse.name_subjects(home, caller(Role.AUDITOR), "staff", [theirs])


def test_several_are_erased_with_one_certificate_or_none_is(home: Home) -> None:
    ids = people(home, *NAMES)
    chosen = [ids["Amir"], ids["Lin"], ids["Amir"]]
    with pytest.raises(NotFound):
        erase_subjects(home, caller(), "staff", [*chosen, uuid4()], lambda *_: None)
    asked: list[tuple[int, int]] = []

    def refuse(*counts: int) -> None:
        asked.append((counts[0], counts[1]))
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        erase_subjects(home, caller(), "staff", chosen, refuse)
    assert asked == [(2, 2)]
    of = home.gallery.collection("staff")
    assert of.size.subjects == 5
    certificate = erase_subjects(home, caller(), "staff", chosen, lambda *_: None)
    assert (certificate.erased.subjects, certificate.erased.references) == (2, 2)
    left = of.read(lambda its: its.subjects.page())
    assert [one.name for one in left] == ["Rosa Marín", "rosa", "ROSALIND"]
    assert verify_certificate(home, caller(), certificate).holds


def test_faces_are_shown_where_they_were_kept_and_blurred_where_the_purpose_asks(
    tmp_path: Path, standards: Path
) -> None:
    draw(tmp_path / "people" / "Rosa.png", RED)
    draw(tmp_path / "people" / "Amir.png", BLUE)
    with home_at(tmp_path, "", standards, crops="on") as home:
        make(home)
        list(enroller(home).enrol(read_source(tmp_path / "people")))
        ids = [
            one.id
            for one in home.gallery.collection("staff").read(lambda its: its.references.page())
        ]
        shown = browse.show_faces(home, caller(), "staff", [*ids, uuid4()])
        assert set(shown) == set(ids)
        assert all(one.startswith(b"\xff\xd8") for one in shown.values())
        exploited = caller(Role.ADMIN, "exploited-children")
        blurred = browse.show_faces(home, exploited, "staff", ids)
        assert all(blurred[one] != shown[one] for one in ids)
        assert browse.show_faces(home, exploited, "staff", ids, unblurred=True) == shown
        # What the collection is declared to be for counts, too.
        tag_collection(home, caller(), "staff", {"likeness:purpose": "exploited-children"})
        assert browse.show_faces(home, caller(), "staff", ids) == blurred
        with pytest.raises(Denied):
            browse.show_faces(home, caller(Role.CLIENT), "staff", ids)
