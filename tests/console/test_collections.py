"""Collections: make them, look through them, set what is set, and delete them."""

import re
import sys
from urllib.parse import quote

import pytest

from likeness.service.enrol import browse
from likeness.terms import Role
from tests.console.collections import AMIR, LIN, ROSA, enrol, make_collection, subject_ids
from tests.console.conftest import Pages
from tests.console.people import Person

SCRIPT = '"><script>alert(1)</script>/..&amp;%2F'


@pytest.fixture(scope="module")
def admin(pages: Pages) -> Person:
    return pages.person()


@pytest.mark.parametrize("name", [SCRIPT, "..", ".", "~", "a/b", "50% & more?#x", "имя", "x" * 255])
def test_a_collection_of_any_name_is_made_and_found(pages: Pages, admin: Person, name: str) -> None:
    made = admin.send(admin.see("/console/collections"), "/console/collections", {"name": name})
    assert made.status == 200, made.text
    assert f"Collection {name} is made" in made.text
    assert "<script>alert" not in made.html
    (link,) = {
        one
        for one in admin.see("/console/collections").links
        if one.startswith("/console/collections/") and one == made.address
    }
    assert admin.see(link).status == 200
    for part in ("references", "enrol", "settings"):
        assert admin.see(f"{link}/{part}").status == 200


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": ""}, "name", "0 characters"),
        ({"name": "x" * 256}, "name", "256 characters"),
        ({"name": "a\nb"}, "name", "control character"),
        ({"name": "some", "days": "soon"}, "days", "Not a number of days"),
        ({"name": "some", "days": "0"}, "name", "1 to 36500"),
        ({"name": "some", "days": "9" * 400}, "days", "Not a number of days"),
    ],
)
def test_a_form_says_what_is_wrong_beside_the_field(
    admin: Person, fields: dict[str, str], field: str, said: str
) -> None:
    page = admin.see("/console/collections")
    shown = admin.send(page, "/console/collections", fields)
    assert shown.status == 400
    assert said in shown.text, shown.text
    assert f'id="{field}-wrong"' in shown.html
    assert "some" not in admin.see("/console/collections").links


def test_a_name_that_is_taken_is_said_beside_it_and_what_was_typed_stays(
    pages: Pages, admin: Person
) -> None:
    name = make_collection(pages, admin)
    again = admin.send(
        admin.see("/console/collections"), "/console/collections", {"name": name, "days": "30"}
    )
    assert again.status == 409
    assert 'id="name-wrong"' in again.html
    assert ("days", "30") in again.form("/console/collections").fields


def test_a_form_that_is_sent_twice_makes_one_collection(pages: Pages, admin: Person) -> None:
    page = admin.see("/console/collections")
    first = admin.send(page, "/console/collections", {"name": "only-once"})
    second = admin.send(page, "/console/collections", {"name": "only-once"})
    assert (first.status, second.status) == (200, 200)
    assert first.path == second.path


def test_people_are_listed_found_by_name_and_shown(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA, AMIR, LIN)
    path = f"/console/collections/{name}"
    assert all(one in admin.see(path).text for one in (ROSA, AMIR, LIN))
    found = admin.see(path, q="MARI\u0301N")
    assert "1 person found" in found.text
    assert (ROSA in found.text, AMIR in found.text) == (True, False)
    assert "0 people found" in admin.see(path, q="nobody").text
    shown = admin.see(f"{path}/subjects/{subject_ids(pages, name)[ROSA]}")
    assert ROSA in shown.text
    assert "1 reference, since" in shown.text
    every = admin.see(f"{path}/references")
    assert "3 references." in every.text
    assert "1 reference." in admin.see(f"{path}/references", named=ROSA).text


def test_lists_go_on_page_by_page(
    pages: Pages, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = sys.modules["likeness.console.pages.collections.people"]
    monkeypatch.setattr(people, "MOST_LISTED", 2)
    monkeypatch.setattr(people, "MOST_FACES", 2)
    monkeypatch.setattr(browse, "_AT_A_TIME", 1)
    monkeypatch.setattr(browse, "_LOOKED_THROUGH", 2)
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA, AMIR, LIN)
    for path, query, first, last in (
        (f"/console/collections/{name}", {}, AMIR, ROSA),  # by name
        (f"/console/collections/{name}", {"q": "a"}, ROSA, LIN),
        (f"/console/collections/{name}/references", {}, ROSA, LIN),
    ):
        page = admin.see(path, **query)
        assert first in page.text
        assert last not in page.text
        (following,) = [one for one in page.links if "after=" in one]
        page = admin.see(following)
        assert first not in page.text
        assert not [one for one in page.links if "after=" in one]


def test_a_list_says_its_order(
    pages: Pages, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA, AMIR)
    by_name = admin.see(f"/console/collections/{name}").text
    assert ", by name" in by_name
    assert by_name.index(AMIR) < by_name.index(ROSA)
    monkeypatch.setattr(browse, "_MOST_SORTED", 1)
    as_enrolled = admin.see(f"/console/collections/{name}").text
    assert "in the order in which they were enrolled" in as_enrolled
    assert as_enrolled.index(ROSA) < as_enrolled.index(AMIR)


@pytest.mark.parametrize(
    "path",
    [
        "?after=x",
        "?after=-1",
        "?after=" + "9" * 30,
        "/subjects/nobody",
        "/subjects/00000000-0000-4000-8000-000000000000",
        "/references?named=Nobody",
        "/references?named=" + "x" * 300,
        "?q=" + "x" * 300,
    ],
)
def test_an_address_that_leads_nowhere_is_said_so(pages: Pages, admin: Person, path: str) -> None:
    name = make_collection(pages, admin)
    shown = admin.see(f"/console/collections/{name}{path}")
    assert shown.status in (400, 404)
    assert 'role="alert"' in shown.html


def test_a_collection_that_is_not_there_is_said_so(admin: Person) -> None:
    for part in ("", "/references", "/enrol", "/settings"):
        shown = admin.see(f"/console/collections/nowhere{part}")
        assert shown.status == 404
        assert "No such collection" in shown.text


def test_retention_and_tags_are_set_and_taken_back(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    path = f"/console/collections/{name}/settings"
    admin.send(admin.see(path), f"{path}/retention", {"days": "30"})
    assert "for 30 days" in admin.see(path).text
    wrong = admin.send(admin.see(path), f"{path}/retention", {"days": "-1"})
    assert wrong.status == 400
    assert 'id="days-wrong"' in wrong.html
    admin.send(admin.see(path), f"{path}/retention", {"days": ""})
    assert "kept for good" in admin.see(path).text
    admin.send(admin.see(path), f"{path}/tags", {"key": SCRIPT, "value": SCRIPT})
    tagged = admin.see(path)
    assert SCRIPT in tagged.text
    admin.send(tagged, f"{path}/tags/remove", {"tag": SCRIPT})
    assert SCRIPT not in admin.see(path).text
    refused = admin.send(admin.see(path), f"{path}/tags", {"key": "likeness:sector", "value": "x"})
    assert refused.status == 400
    assert 'id="key-wrong"' in refused.html
    assert admin.send(admin.see(path), f"{path}/tags", {"key": "", "value": "x"}).status == 400


def test_an_admin_declares_what_rules_go_by_and_others_see_it(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    path = f"/console/collections/{name}/settings"
    declared = {"likeness:sector": "police", "likeness:live": "false"}
    assert "Have people been told" in admin.see(path).text
    assert 'value="undeclared"' not in admin.see(path).html
    shown = admin.send(admin.see(path), f"{path}/declared", declared)
    assert shown.status == 200
    tags = pages.home.gallery.collection(name).tags
    assert tags == declared
    operator = pages.person(Role.OPERATOR)
    seen = operator.see(path)
    assert "police" in seen.text
    assert f"{path}/declared" not in [one.action for one in seen.forms]
    admin.send(admin.see(path), f"{path}/declared", dict.fromkeys(declared, ""))
    assert pages.home.gallery.collection(name).tags == {}
    wrong = admin.send(admin.see(path), f"{path}/declared", {"likeness:sector": SCRIPT})
    assert wrong.status == 400


def test_a_collection_is_deleted_once_its_name_is_typed(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA)
    path = f"/console/collections/{name}/settings"
    wrong = admin.send(admin.see(path), f"{path}/delete", {"typed": "another"})
    assert wrong.status == 400
    assert 'id="typed-wrong"' in wrong.html
    gone = admin.send(admin.see(path), f"{path}/delete", {"typed": name})
    assert "Gone: a collection of 1 person and 1 reference" in gone.text
    assert re.fullmatch(r"/console/certificates/[0-9a-f-]{36}", gone.path)
    assert admin.see(f"/console/collections/{name}").status == 404


def test_roles_see_and_do_what_they_may(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA)
    path = f"/console/collections/{name}"
    auditor, reviewer = pages.person(Role.AUDITOR), pages.person(Role.REVIEWER)
    for page in ("/console/collections", path, f"{path}/references", f"{path}/enrol"):
        assert auditor.see(page).status == 403
    seen = reviewer.see(path)
    assert seen.status == 200
    assert "checkbox" not in seen.html
    assert reviewer.see(f"{path}/enrol").status == 403
    assert reviewer.see("/console/certificates").status == 403
    assert auditor.see("/console/certificates").status == 200
    assert "Make a collection" not in reviewer.see("/console/collections").text


def test_a_session_that_ends_in_a_form_keeps_what_was_written(pages: Pages) -> None:
    admin = pages.person()
    name = make_collection(pages, admin)
    path = f"/console/collections/{name}/settings"
    page = admin.see(path)
    admin.client.cookies.clear()
    asked = admin.send(page, f"{path}/retention", {"days": "77"})
    assert asked.status == 401
    back = admin.send(
        asked,
        "/console/sign-in",
        {"name": admin.name, "secret": "four words that nobody guesses"},
    )
    assert back.status == 200
    assert ("days", "77") in back.form(f"{path}/retention").fields
    assert "for good" in admin.see(path).text


def test_a_name_in_an_address_is_what_was_quoted(pages: Pages, admin: Person) -> None:
    name = make_collection(pages, admin, "a b/ü")
    assert admin.see(f"/console/collections/{quote(name, safe='')}").status == 200
    assert admin.see("/console/collections/a%20b/%C3%BC").status == 404
