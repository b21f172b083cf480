"""Unnamed faces are named or ignored, and a collection is looked through for what to mend."""

import re
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from likeness.terms import Role
from tests.console.collections import make_collection, subject_ids
from tests.console.conftest import Pages
from tests.console.people import Person, Shown
from tests.console.test_subjects import people, references_of, sizes
from tests.gallery.galleries import enrol
from tests.service.test_check_subjects import blurred, looks


@pytest.fixture
def admin(pages: Pages) -> Person:
    return pages.person()


def unnamed(pages: Pages, name: str, *seeds: int) -> list[UUID]:
    new = [
        replace(looks(pages.home, seed, f"nobody {number}", number), subject=None)
        for number, seed in enumerate(seeds)
    ]
    return [one.id for one in enrol(pages.home.gallery, name, new)]


def grouped(by: Person, name: str) -> Shown:
    here = f"/console/collections/{name}/unnamed"
    return by.until_done(by.send(by.see(here), f"{here}/group"))


def checked(by: Person, name: str) -> Shown:
    here = f"/console/collections/{name}/check"
    return by.until_done(by.send(by.see(here), here))


def keys(shown: Shown, action: str) -> list[str]:
    """The groups that may be named or ignored."""
    return [dict(one.fields)["person"] for one in shown.forms if one.action.endswith(action)]


def test_a_group_of_faces_is_named_and_it_is_undone(pages: Pages, admin: Person) -> None:
    name = people(pages, admin, Ada=[1])
    unnamed(pages, name, 1, 2, 2, 2, 3)
    here = f"/console/collections/{name}/unnamed"
    shown = grouped(admin, name)
    assert "5 faces were compared. 2 groups are left to look at. 1 face is like no other." in (
        shown.text
    )
    assert "This looks like Ada" in shown.text
    group, like_ada = keys(shown, "/name")

    named = admin.send(shown, f"{here}/name", {f"to-{group}": "Eve"})
    assert "3 faces are Eve's now. Look, or undo it" in named.text
    assert sizes(pages, name) == {"Ada": 1, "Eve": 3}
    assert keys(named, "/name") == [like_ada]

    ada = str(subject_ids(pages, name)["Ada"])
    both = admin.send(named, f"{here}/name", {"like": ada})
    assert sizes(pages, name) == {"Ada": 2, "Eve": 3}
    assert keys(both, "/name") == []

    eve = admin.see(next(one for one in named.links if one.endswith("/arrange")))
    undone = admin.send(eve, eve.path.replace("arrange", "undo"))
    assert "Eve, who had no others, is gone" in undone.text
    assert sizes(pages, name) == {"Ada": 2}
    assert keys(undone, "/name") == [group]


def test_faces_that_are_ticked_are_left_out(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    faces = unnamed(pages, name, 2, 2, 2)
    here = f"/console/collections/{name}/unnamed"
    shown = grouped(admin, name)
    (group,) = keys(shown, "/name")
    without = [str(faces[0])]
    for fields, said in (
        ({f"to-{group}": "Eve", "without": [str(one) for one in faces]}, "All faces are left out"),
        ({f"to-{group}": ""}, "0 characters"),
        ({f"to-{group}": "x" * 256, "without": without}, "256 characters"),
    ):
        again = admin.send(shown, f"{here}/name", {**fields, "once": uuid4().hex})
        assert again.status == 400
        assert said in again.text, again.text
        assert f'id="to-{group}-wrong"' in again.html
    admin.send(shown, f"{here}/name", {f"to-{group}": "Eve", "without": without})
    assert sizes(pages, name) == {"Eve": 2}
    assert str(faces[0]) not in references_of(pages, name, "Eve")


def test_groups_are_ignored_with_one_click_and_looked_at_again(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    unnamed(pages, name, 1, 1, 2, 2, 3, 3)
    here = f"/console/collections/{name}/unnamed"
    shown = grouped(admin, name)
    assert f'formaction="{here}/aside"' in shown.html
    first = next(one for one in shown.forms if one.action == f"{here}/name")
    once = Shown(admin.client.post(f"{here}/aside", data=dict(first.fields)))
    assert "2 faces are ignored" in once.text
    both = [one for one in once.forms if one.action == f"{here}/aside"][-1]
    data: dict[str, list[str]] = {}
    for field, value in both.fields:
        data.setdefault(field, []).append(value)
    assert len(data["person"]) == 2
    done = Shown(admin.client.post(f"{here}/aside", data=data))
    assert "4 faces are ignored" in done.text
    assert "No unnamed face is left to look at." in done.text
    again = admin.send(done, f"{here}/again")
    assert "6 faces are no longer ignored" in again.text
    assert len(keys(grouped(admin, name), "/name")) == 3


def test_a_group_that_is_gone_is_said_to_be(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    unnamed(pages, name, 1, 1)
    here = f"/console/collections/{name}/unnamed"
    shown = grouped(admin, name)
    (group,) = keys(shown, "/name")
    admin.send(shown, f"{here}/name", {f"to-{group}": "Eve"})
    again = admin.send(shown, f"{here}/name", {f"to-{group}": "Di", "once": uuid4().hex})
    assert again.status == 409
    assert "named, ignored or grouped anew meanwhile" in again.text
    csrf = dict(shown.form(f"{here}/name").fields)["csrf"]
    for data, status in (({"csrf": csrf, "person": "<script>"}, 409), ({"csrf": csrf}, 400)):
        assert admin.client.post(f"{here}/aside", data=data).status_code == status
    assert sizes(pages, name) == {"Eve": 2}


def test_what_one_person_grouped_another_does_not_see(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    unnamed(pages, name, 1, 1)
    assert keys(grouped(admin, name), "/name")
    other = pages.person(Role.OPERATOR)
    assert keys(other.see(f"/console/collections/{name}/unnamed"), "/name") == []
    assert keys(grouped(other, name), "/name")


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "0" * 20 + "9" * 30, "1e3", "²"])
def test_a_place_that_is_none_is_refused(pages: Pages, admin: Person, after: str) -> None:
    name = make_collection(pages, admin)
    unnamed(pages, name, 1)
    here = f"/console/collections/{name}/unnamed"
    shown = admin.send(admin.see(here), f"{here}/group", {"after": after})
    assert (shown.status, "names no place in the list" in shown.text) == (400, True)


def test_what_there_is_to_mend_leads_to_where_it_is_mended(pages: Pages, admin: Person) -> None:
    name = people(pages, admin, Ada=[1, 1], Adele=[1, 1], Bo=[2, 2, 3, 2])
    enrol(pages.home.gallery, name, [replace(looks(pages.home, 9, "Di"), face=blurred())])
    shown = checked(admin, name)
    assert "4 people with 9 faces." in shown.text
    assert re.search(r"As of [\d-]+ [\d:]+ UTC \. What was mended since is not counted", shown.text)
    assert (
        "1 face is unlike the rest of its person. 1 pair of people looks like one person. 1 person"
        " may be missed." in shown.text
    )
    assert "blurred" in shown.text
    ids = subject_ids(pages, name)
    (pair,) = (one for one in shown.links if "/merge?" in one)
    assert all(str(ids[one]) in pair for one in ("Ada", "Adele"))
    (stray,) = (one for one in shown.links if "?reference=" in one)
    person = admin.see(stray.partition("?")[0], reference=stray.rpartition("=")[2])
    faces = f"/console/collections/{name}/subjects/{ids['Bo']}/faces"
    assert ("reference", stray.rpartition("=")[2]) in person.form(faces).fields
    admin.send(person, faces, {"what": "split", "to": "Cy"})

    path, _, query = pair.partition("?")
    asked = admin.see(path, **dict(one.split("=") for one in query.split("&")))
    admin.send(asked, f"/console/collections/{name}/merge")
    assert sizes(pages, name)["Bo"] == 3

    mended = admin.see(f"/console/collections/{name}/check")
    assert not [one for one in mended.links if "/merge?" in one or "?reference=" in one]
    assert str(ids["Di"]) in " ".join(mended.links)


def test_what_is_mended_is_not_said_to_be_in_order(pages: Pages, admin: Person) -> None:
    name = people(pages, admin, Ada=[1, 1], Adele=[1, 1])
    (pair,) = (one for one in checked(admin, name).links if "/merge?" in one)
    admin.send(admin.see(pair), f"/console/collections/{name}/merge")
    mended = admin.see(f"/console/collections/{name}/check")
    assert "1 pair of people looks like one person." in mended.text  # as of then
    assert "All that was listed is mended. Look again to see what is left." in mended.text
    assert "Nothing to mend." not in mended.text


def test_an_empty_collection_is_said_to_be(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    assert "Nobody is enrolled yet." in checked(admin, name).text
    assert "No unnamed face" in admin.see(f"/console/collections/{name}/unnamed").text


def test_a_collection_in_order_has_nothing_to_mend(pages: Pages, admin: Person) -> None:
    shown = checked(admin, people(pages, admin, Ada=[1, 1], Bo=[2, 2]))
    assert "Nothing to mend." in shown.text
    assert "All that was listed is mended" not in shown.text
    assert "4 of 4 faces (100.0%) would find another face of the same person." in shown.text


def test_names_are_no_markup(pages: Pages, admin: Person) -> None:
    script = "<script>alert(1)</script>"
    name = people(pages, admin, **{script: [1, 1], f"{script}2": [1, 1]})
    shown = checked(admin, name)
    assert script in shown.text
    assert script not in shown.html


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_whoever_may_not_search_learns_of_nobody(pages: Pages, admin: Person, role: Role) -> None:
    name = people(pages, admin, Ada=[1], Adele=[1])
    other = pages.person(role)
    csrf = dict(other.see("/console/account").form("/console/sign-out").fields)["csrf"]
    for path in (f"/console/collections/{name}/{one}" for one in ("check", "unnamed")):
        assert other.see(path).status == 403
        assert other.client.post(path, data={"csrf": csrf}).status_code in (403, 404)


def test_a_collection_that_is_none_is_said_to_be(admin: Person) -> None:
    account = admin.see("/console/account")
    csrf = dict(account.form("/console/sign-out").fields)["csrf"]
    for part in ("check", "unnamed", "merge"):
        shown = admin.see(f"/console/collections/nowhere/{part}")
        assert shown.status == (200 if part == "merge" else 404), part
    sent = admin.client.post("/console/collections/nowhere/check", data={"csrf": csrf})
    assert sent.status_code == 404
