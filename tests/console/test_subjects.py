"""People are renamed, merged and split, faces moved, each with undo, many at once."""

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from likeness.service.enrol import browse
from likeness.terms import Role
from tests.cli.conftest import ship_standards
from tests.console.cases import Desk, pictures_of, reviewing
from tests.console.collections import AMIR, ROSA, make_collection, subject_ids
from tests.console.collections import enrol as enrolled
from tests.console.conftest import PASSWORD, Pages
from tests.console.people import Person, Shown
from tests.gallery.galleries import enrol
from tests.rekognition.operations.discs import RED, disc
from tests.service.test_check_subjects import looks

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def admin(pages: Pages) -> Person:
    return pages.person()


@pytest.fixture
def staff(pages: Pages, admin: Person) -> str:
    """A collection of Ada with three faces, and Bo and Cy with one each."""
    return people(pages, admin, Ada=[1, 1, 2], Bo=[3], Cy=[4])


def people(pages: Pages, by: Person, **seeds: list[int]) -> str:
    name = make_collection(pages, by)
    new = [
        looks(pages.home, seed, who, number)
        for who, some in seeds.items()
        for number, seed in enumerate(some)
    ]
    enrol(pages.home.gallery, name, new)
    return name


def sizes(pages: Pages, name: str) -> dict[str, int]:
    its = pages.home.gallery.collection(name)
    found = its.read(lambda rows: rows.subjects.page())
    counts = its.read(lambda rows: rows.subjects.sizes([one.number for one in found]))
    return {one.name: counts.get(one.number, 0) for one in found}


def references_of(pages: Pages, name: str, whose: str) -> list[str]:
    of = pages.home.gallery.collection(name)
    subject_id = subject_ids(pages, name)[whose]
    return [str(one.id) for one in of.read(lambda its: its.references.of_subject(subject_id))]


def place(pages: Pages, name: str, whose: str, *part: str) -> str:
    return "/".join(
        ["/console/collections", name, "subjects", str(subject_ids(pages, name)[whose]), *part]
    )


def arranging(pages: Pages, by: Person, name: str, whose: str) -> tuple[Shown, str]:
    """The page where somebody is put right, and where its forms are sent to."""
    shown = by.see(place(pages, name, whose, "arrange"))
    assert shown.status == 200, shown.text
    return shown, place(pages, name, whose)


def test_somebody_is_renamed_and_it_is_undone(pages: Pages, admin: Person, staff: str) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    renamed = admin.send(shown, f"{here}/rename", {"new_name": SCRIPT})
    assert f"Renamed to {SCRIPT}." in renamed.text
    assert SCRIPT not in renamed.html
    assert set(sizes(pages, staff)) == {SCRIPT, "Bo", "Cy"}
    undone = admin.send(renamed, f"{here}/undo")
    assert "Undone. This is Ada again." in undone.text
    assert set(sizes(pages, staff)) == {"Ada", "Bo", "Cy"}
    assert not [one for one in undone.forms if one.action.endswith("/undo")]


def test_nothing_is_undone_for_what_was_shown_before_something_else_changed(
    pages: Pages, admin: Person, staff: str
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    renamed = admin.send(shown, f"{here}/rename", {"new_name": "Eve"})
    other = pages.person(Role.OPERATOR)
    faces = references_of(pages, staff, "Eve")
    page = other.see(f"{here}/arrange")
    other.send(page, f"{here}/faces", {"what": "split", "to": "Ivy", "reference": faces[2:]})
    refused = admin.send(renamed, f"{here}/undo")
    assert refused.status == 409
    assert "Something else was changed since" in refused.text
    assert sizes(pages, staff) == {"Eve": 2, "Ivy": 1, "Bo": 1, "Cy": 1}
    admin.send(refused, f"{here}/undo")  # which shows what the last change is now
    assert sizes(pages, staff) == {"Eve": 3, "Bo": 1, "Cy": 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "0 characters"),
        ("Bo", "has that name"),
        ("Ada", "That is the name already"),
        ("x" * 256, "256 characters"),
        ("a\nb", "control character"),
    ],
)
def test_a_name_that_cannot_be_is_said_beside_the_field(
    pages: Pages, admin: Person, staff: str, name: str, said: str
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    again = admin.send(shown, f"{here}/rename", {"new_name": name})
    assert 400 <= again.status < 500
    assert said in again.text, again.text
    assert 'id="new_name-wrong"' in again.html
    assert set(sizes(pages, staff)) == {"Ada", "Bo", "Cy"}


def test_faces_are_split_off_and_it_is_undone(pages: Pages, admin: Person, staff: str) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    faces = references_of(pages, staff, "Ada")
    split = admin.send(
        shown, f"{here}/faces", {"what": "split", "to": "Eve", "reference": faces[1:]}
    )
    assert "2 faces are Eve's now, who is new." in split.text
    assert "Faces of Ada were split off as Eve." in split.text
    assert "look like some of the others" in split.text  # the remark of the act
    assert sizes(pages, staff) == {"Ada": 1, "Bo": 1, "Cy": 1, "Eve": 2}
    admin.send(split, f"{here}/undo")
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}


def test_faces_are_moved_and_either_of_the_two_undoes_it(
    pages: Pages, admin: Person, staff: str
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    face = references_of(pages, staff, "Ada")[2]
    moved = admin.send(shown, f"{here}/faces", {"what": "move", "to": "Bo", "reference": face})
    assert "1 face is Bo's now." in moved.text
    assert sizes(pages, staff) == {"Ada": 2, "Bo": 2, "Cy": 1}
    bo, there = arranging(pages, admin, staff, "Bo")
    assert "Faces of Ada were given to Bo." in bo.text
    undone = admin.send(bo, f"{there}/undo")
    assert "The faces that Bo was given are Ada's again." in undone.text
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}


@pytest.mark.parametrize(
    ("what", "to", "which", "said"),
    [
        ("split", "Eve", [], "No face is chosen"),
        ("split", "", [0], "0 characters"),
        ("split", "Bo", [0], "Somebody here has that name"),
        ("split", "Eve", [0, 1, 2], "These are all references"),
        ("move", "Nobody", [0], "No such person Nobody"),
        ("move", "Ada", [0], "already"),
        ("move", "Bo", [0, 1, 2], "Merge the two"),
    ],
)
def test_faces_that_cannot_be_given_stay_chosen(
    pages: Pages, admin: Person, staff: str, what: str, to: str, which: list[int], said: str
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    faces = references_of(pages, staff, "Ada")
    chosen = [faces[one] for one in which]
    again = admin.send(shown, f"{here}/faces", {"what": what, "to": to, "reference": chosen})
    assert 400 <= again.status < 500
    assert said in again.text, again.text
    assert 'id="to-wrong"' in again.html
    kept = again.form(f"{here}/faces").fields
    assert [value for name, value in kept if name == "reference"] == chosen
    assert ("to", to) in kept
    assert ("what", what) in kept
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}


def test_ids_of_others_and_none_are_refused(pages: Pages, admin: Person, staff: str) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    for reference in (references_of(pages, staff, "Bo")[0], str(uuid4()), "no id", SCRIPT):
        again = admin.send(
            shown,
            f"{here}/faces",
            {"what": "split", "to": "Eve", "reference": reference, "once": uuid4().hex},
        )
        assert 400 <= again.status < 500, again.text
        assert SCRIPT not in again.html
    other = people(pages, admin, Di=[5])
    theirs = subject_ids(pages, other)["Di"]
    assert admin.see(f"/console/collections/{staff}/subjects/{theirs}/arrange").status == 404
    assert admin.see(f"/console/collections/{staff}/subjects/x/arrange").status == 404
    assert admin.see("/console/collections/nowhere/merge?subject=x").status == 400
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}


def test_several_are_merged_from_the_list_and_undone_at_once(
    pages: Pages, admin: Person, staff: str
) -> None:
    ids = subject_ids(pages, staff)
    listed = admin.see(f"/console/collections/{staff}")
    merge = f"/console/collections/{staff}/merge"
    assert f'formaction="{merge}"' in listed.html
    csrf = dict(listed.form(f"/console/collections/{staff}/erase").fields)["csrf"]
    chosen = [str(ids["Bo"]), str(ids["Ada"]), str(ids["Cy"])]
    asked = Shown(admin.client.post(merge, data={"csrf": csrf, "subject": chosen}))
    assert "Who stays" in asked.text
    assert ("into", str(ids["Ada"])) in asked.form(merge).fields  # who has most faces
    done = admin.send(asked, merge)
    assert "2 people were merged into Ada." in done.text
    remark = done.html.partition('<p class="warning" role="status">')[2].partition("</p>")[0]
    assert "look like none of the others" in remark
    assert "Merged into Ada: Bo, Cy." in done.text
    assert sizes(pages, staff) == {"Ada": 5}
    undone = admin.send(done, f"{place(pages, staff, 'Ada')}/undo")
    assert undone.status == 200, undone.text
    assert "Undone. Ada and Bo, Cy are different people again." in undone.text
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}
    assert subject_ids(pages, staff) == ids


def test_somebody_is_merged_with_whoever_is_typed(pages: Pages, admin: Person, staff: str) -> None:
    shown, _ = arranging(pages, admin, staff, "Bo")
    merge = f"/console/collections/{staff}/merge"
    for typed, said in (
        ("Nobody", "No such person Nobody"),
        ("Bo", "one person alone"),
        ("", "one person alone"),
    ):
        again = admin.send(shown, merge, {"into_name": typed, "once": uuid4().hex})
        assert 400 <= again.status < 500
        assert said in again.text, again.text
        assert 'id="into_name-wrong"' in again.html
    done = admin.send(shown, merge, {"into_name": "Ada"})
    assert done.path == f"{place(pages, staff, 'Ada')}/arrange"
    assert sizes(pages, staff) == {"Ada": 4, "Cy": 1}


def test_whoever_comes_back_to_a_merge_is_told_once_that_it_was_done(
    pages: Pages, admin: Person, staff: str
) -> None:
    ids = subject_ids(pages, staff)
    merge = f"/console/collections/{staff}/merge"
    asked = admin.see(merge, subject=f"{ids['Ada']},{ids['Bo']}")
    admin.send(asked, merge)
    sent = admin.send(asked, merge)
    assert sent.text.count("This was done already") == 1
    fresh = {"once": uuid4().hex}
    for shown, status in ((admin.see(asked.address), 404), (admin.send(asked, merge, fresh), 404)):
        assert shown.status == status
        assert shown.text.count("merged or erased already") == 1, shown.text
        assert str(ids["Bo"]) not in shown.text
    assert sizes(pages, staff) == {"Ada": 4, "Cy": 1}


def test_what_is_chosen_elsewhere_is_asked_about_on_a_page_to_come_back_to(
    pages: Pages, admin: Person, staff: str
) -> None:
    faces, here = references_of(pages, staff, "Ada"), place(pages, staff, "Ada")
    csrf = dict(admin.see(here).form("/console/sign-out").fields)["csrf"]
    data = {"csrf": csrf, "reference": faces[1:]}
    sent = admin.client.post(f"{here}/arrange", data=data, follow_redirects=False)
    assert sent.status_code == 303
    shown = admin.see(sent.headers["location"])
    kept = shown.form(f"{here}/faces").fields
    assert [value for name, value in kept if name == "reference"] == faces[1:]


def test_names_are_offered_and_who_is_meant_is_said(
    pages: Pages, admin: Person, staff: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    assert '<datalist id="everybody">' in shown.html
    assert '<option value="Cy">' in shown.html
    fields = {"what": "move", "to": "b", "reference": references_of(pages, staff, "Ada")[:1]}
    again = admin.send(shown, f"{here}/faces", fields)
    assert again.status == 404
    assert "No such person b here. Names that hold this: Bo." in again.text
    monkeypatch.setattr(browse, "_MOST_OFFERED", 2)
    assert "<datalist" not in arranging(pages, admin, staff, "Ada")[0].html


def test_what_is_known_of_a_face_without_a_picture_is_shown(
    pages: Pages, admin: Person, staff: str
) -> None:
    shown, _ = arranging(pages, admin, staff, "Ada")
    assert re.search(r"\d\d:\d\d UTC \d+ by \d+ pixels, fit to enrol", shown.text), shown.text
    assert "LIKENESS_CROPS=on" in shown.text


def test_a_form_that_comes_again_does_nothing_twice(
    pages: Pages, admin: Person, staff: str
) -> None:
    shown, here = arranging(pages, admin, staff, "Ada")
    faces = references_of(pages, staff, "Ada")
    fields = {"what": "split", "to": "Eve", "reference": faces[:1]}
    first = admin.send(shown, f"{here}/faces", fields)
    again = admin.send(shown, f"{here}/faces", fields)
    assert (first.status, again.status, again.path) == (200, 200, first.path)
    assert sizes(pages, staff)["Eve"] == 1
    assert admin.see(f"{here}/faces").status == 200  # somebody reloads where the form was sent


def test_nobody_chosen_is_said(pages: Pages, admin: Person, staff: str) -> None:
    listed = admin.see(f"/console/collections/{staff}")
    merge = f"/console/collections/{staff}/merge"
    csrf = dict(listed.form(f"/console/collections/{staff}/erase").fields)["csrf"]
    shown = Shown(admin.client.post(merge, data={"csrf": csrf}))
    assert (shown.status, "Nobody is chosen" in shown.text) == (400, True)
    other = people(pages, admin, Di=[5])
    theirs = str(subject_ids(pages, other)["Di"])
    shown = Shown(admin.client.post(merge, data={"csrf": csrf, "subject": theirs}))
    assert shown.status == 404


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_whoever_may_not_arrange_sees_and_does_nothing(
    pages: Pages, admin: Person, staff: str, role: Role
) -> None:
    other = pages.person(role)
    here = place(pages, staff, "Ada")
    csrf = dict(other.see("/console/account").form("/console/sign-out").fields)["csrf"]
    for path in (f"{here}/arrange", f"/console/collections/{staff}/merge"):
        assert other.see(path).status == 403
    for path in (f"{here}/rename", f"{here}/faces", f"{here}/undo"):
        sent = other.client.post(path, data={"csrf": csrf, "new_name": "Eve"})
        assert sent.status_code == 403
    if role is Role.REVIEWER:
        assert "Rename, merge" not in other.see(here).text
    assert sizes(pages, staff) == {"Ada": 3, "Bo": 1, "Cy": 1}


def test_a_client_arranges_without_seeing_a_face(pages: Pages, admin: Person, staff: str) -> None:
    client = pages.person(Role.CLIENT)
    shown, here = arranging(pages, client, staff, "Ada")
    assert "<img" not in shown.html
    assert client.send(shown, f"{here}/rename", {"new_name": "Ada King"}).status == 200
    assert UUID(here.rpartition("/")[2]) == subject_ids(pages, staff)["Ada King"]


def test_what_was_written_stays_where_the_session_is_over(
    pages: Pages, admin: Person, staff: str
) -> None:
    person = pages.stranger()
    name = pages.make(Role.OPERATOR)
    person.sign_in(name, PASSWORD)
    shown, here = arranging(pages, person, staff, "Ada")
    faces = references_of(pages, staff, "Ada")
    fields = {"what": "split", "to": "Eve", "reference": faces[1:]}
    person.client.cookies.clear()
    over = person.send(shown, f"{here}/faces", fields)
    assert (over.status, "Your session is over" in over.text) == (401, True)
    back = person.send(over, "/console/sign-in", {"name": name, "secret": PASSWORD})
    kept = back.form(f"{here}/faces").fields
    assert [value for field, value in kept if field == "reference"] == faces[1:]
    assert ("to", "Eve") in kept
    assert sizes(pages, staff)["Ada"] == 3
    person.send(back, f"{here}/faces")
    assert sizes(pages, staff) == {"Ada": 1, "Bo": 1, "Cy": 1, "Eve": 2}


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server that keeps pictures of faces."""
    shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    with reviewing(tmp_path_factory.mktemp("home"), shipped) as desk:
        yield desk


def test_pictures_are_shown_where_some_are_kept_to_whoever_may_see_them(keeping: Desk) -> None:
    pages = keeping.pages
    admin, client = pages.person(), pages.person(Role.CLIENT)
    name = make_collection(pages, admin, "with-pictures")
    enrolled(admin, name, ROSA, AMIR)
    for number in range(2):
        picture = disc(RED, side=120 + number)
        keeping.client.index_faces(CollectionId=name, Image={"Bytes": picture})
    ids = subject_ids(pages, name)
    query = {"subject": f"{ids[ROSA]},{ids[AMIR]}"}
    merge, unnamed = (f"/console/collections/{name}/{one}" for one in ("merge", "unnamed"))
    for person, each in ((admin, 1), (client, 0)):
        shown, _ = arranging(pages, person, name, ROSA)
        assert pictures_of(shown) == each
        assert pictures_of(person.see(merge, **query)) == 2 * each
        grouped = person.until_done(person.send(person.see(unnamed), f"{unnamed}/group"))
        assert f"This looks like {ROSA}" in grouped.text
        assert pictures_of(grouped) == 3 * each  # two, and whom they look like
