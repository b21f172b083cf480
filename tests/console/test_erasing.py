"""Erasing people and references from pages, and the certificates of it."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from likeness.review import Grounds, NewWatch, Owed, Watch, begin_watch, live_watches
from likeness.terms import Principal, Role
from tests.console.collections import AMIR, LIN, ROSA, enrol, make_collection, subject_ids
from tests.console.conftest import Pages
from tests.console.people import Person, Shown
from tests.rekognition.operations.discs import RED, disc

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def admin(pages: Pages) -> Person:
    return pages.person()


@pytest.fixture
def name(pages: Pages, admin: Person) -> str:
    name = make_collection(pages, admin)
    enrol(admin, name, ROSA, AMIR, LIN)
    return name


def ask(by: Person, name: str, **chosen: object) -> Shown:
    path = f"/console/collections/{name}"
    return by.send(by.see(path), f"{path}/erase", chosen)


def test_people_are_erased_together_once_somebody_is_sure(
    pages: Pages, admin: Person, name: str
) -> None:
    ids = subject_ids(pages, name)
    asked = ask(admin, name, subject=[str(ids[ROSA]), str(ids[LIN])])
    assert "These 2 people are erased, with 2 references" in asked.text
    path = f"/console/collections/{name}/erase"
    unsure = admin.send(asked, path)
    assert unsure.status == 400
    assert 'id="sure-wrong"' in unsure.html
    assert len(subject_ids(pages, name)) == 3
    gone = admin.send(unsure, path, {"sure": "yes"})
    assert "Gone: 2 people and 2 references." in gone.text
    assert list(subject_ids(pages, name)) == [AMIR]


def test_a_certificate_is_downloaded_listed_and_verified(
    pages: Pages, admin: Person, name: str
) -> None:
    # Of no other collection, where it would have come again.
    own = {"files": [("pictures", ("Jo.png", disc(RED, side=201)))]}
    path = f"/console/collections/{name}/enrol"
    admin.send(admin.see(path), path, {"whose": "file"}, **own)
    asked = ask(admin, name, subject=str(subject_ids(pages, name)["Jo"]))
    gone = admin.send(asked, f"/console/collections/{name}/erase", {"sure": "yes"})
    certificate_id = gone.path.rpartition("/")[2]
    file = admin.client.get(f"{gone.path}/file")
    assert "attachment" in file.headers["content-disposition"]
    assert json.loads(file.content)["id"] == certificate_id
    listed = pages.person(Role.AUDITOR).see("/console/certificates", collection=name)
    assert gone.path in listed.links
    still = admin.until_done(admin.send(gone, gone.path))
    assert "It holds" in still.text, still.text
    admin.send(admin.see(path), path, {"whose": "file"}, **own)
    again = admin.until_done(admin.send(admin.see(gone.path), gone.path))
    assert "It does not hold" in again.text


def test_references_are_erased_and_their_person_stays(
    pages: Pages, admin: Person, name: str
) -> None:
    of = pages.home.gallery.collection(name)
    (one, *_) = of.read(lambda its: its.references.page())
    path = f"/console/collections/{name}"
    page = admin.see(f"{path}/subjects/{subject_ids(pages, name)[ROSA]}")
    asked = admin.send(page, f"{path}/erase", {"reference": str(one.id)}, leave_out=["subject"])
    assert "1 reference is erased" in asked.text
    gone = admin.send(asked, f"{path}/erase", {"sure": "yes"})
    assert "Gone: 0 people and 1 reference." in gone.text
    assert ROSA in subject_ids(pages, name)


def test_who_may_erase_and_not_audit_is_told_where_the_certificate_is(
    pages: Pages, admin: Person, name: str
) -> None:
    client = pages.person(Role.CLIENT)
    asked = ask(client, name, subject=str(subject_ids(pages, name)[ROSA]))
    gone = client.send(asked, f"/console/collections/{name}/erase", {"sure": "yes"})
    assert gone.path == f"/console/collections/{name}"
    assert "Erased: 1 person and 1 reference. Certificate" in gone.text


def watch_for(pages: Pages, name: str, whose: str) -> Watch:
    """Begin a watch of somebody else's for a person of a collection."""
    home, of = pages.home, pages.home.gallery.collection(name)
    subject_id = subject_ids(pages, name)[whose]
    (one,) = of.read(lambda its: its.references.of_subject(subject_id))
    template = of.read(lambda its: its.references.templates([one.number]))[one.number]
    now = home.clock()
    new = NewWatch(
        of.id,
        Principal("local:searcher", Role.ADMIN),
        "missing-persons",
        Grounds("Court 7", "missing since May"),
        Owed(1),
        0.0,
        template,
        b"crop",
        now + timedelta(days=30),
        None,
    )
    return home.database.write(lambda c: begin_watch(c, home.keyring, new, now))[0]


@pytest.mark.parametrize(("role", "ends"), [(Role.CLIENT, False), (Role.OPERATOR, True)])
def test_a_watch_ends_with_its_person_where_whoever_erases_may_watch(
    pages: Pages, name: str, role: Role, ends: bool
) -> None:
    watch, person = watch_for(pages, name, ROSA), pages.person(role)
    asked = ask(person, name, subject=str(subject_ids(pages, name)[ROSA]))
    assert ("Standing searches" in asked.text) is not ends
    gone = person.send(asked, f"/console/collections/{name}/erase", {"sure": "yes"})
    assert gone.status == 200
    assert ROSA not in subject_ids(pages, name)
    live = pages.home.database.read(lambda c: live_watches(c, pages.home.clock()))
    assert (watch.id not in {one.id for one in live}) is ends


@pytest.mark.parametrize(
    ("chosen", "status"),
    [
        ({}, 400),
        ({"subject": "nobody"}, 400),
        ({"subject": NOBODY}, 404),
        ({"subject": NOBODY, "asked": "yes", "sure": "yes"}, 404),
        ({"reference": NOBODY, "asked": "yes", "sure": "yes"}, 404),
    ],
)
def test_nobody_is_erased_where_the_choice_is_wrong(
    pages: Pages, admin: Person, name: str, chosen: dict[str, str], status: int
) -> None:
    shown = ask(admin, name, **chosen)
    assert shown.status == status
    assert NOBODY not in shown.text
    assert 'role="alert"' in shown.html
    assert len(subject_ids(pages, name)) == 3


def test_without_anybody_ticked_nothing_is_asked(admin: Person, name: str) -> None:
    shown = ask(admin, name)
    assert "Nobody to erase" in shown.text
    assert "Erase for good?" not in shown.text


def test_whoever_comes_back_after_an_erasure_is_told_that_it_was_done(
    pages: Pages, admin: Person, name: str
) -> None:
    asked = ask(admin, name, subject=str(subject_ids(pages, name)[ROSA]))
    admin.send(asked, f"/console/collections/{name}/erase", {"sure": "yes"})
    back = admin.see(asked.address)
    assert back.status == 404
    assert back.text.count("merged or erased already") == 1
    assert str(asked.address).partition("=")[2] not in back.text


def test_a_certificate_names_its_collection_and_leads_back(
    pages: Pages, admin: Person, name: str
) -> None:
    asked = ask(admin, name, subject=str(subject_ids(pages, name)[ROSA]))
    gone = admin.send(asked, f"/console/collections/{name}/erase", {"sure": "yes"})
    assert f"People of {name}" in gone.text
    assert f"/console/collections/{name}" in gone.links
    assert 'href="/console/in-force" aria-current="page"' in gone.html
    assert 'href="/console/certificates" aria-current="page"' in gone.html


def test_anothers_ids_erase_nobody(pages: Pages, admin: Person, name: str) -> None:
    other = make_collection(pages, admin)
    enrol(admin, other, ROSA)
    theirs = str(subject_ids(pages, other)[ROSA])
    shown = ask(admin, name, subject=theirs, asked="yes", sure="yes")
    assert shown.status == 404
    assert list(subject_ids(pages, other)) == [ROSA]


def test_roles_that_may_not_erase_are_refused(pages: Pages, admin: Person, name: str) -> None:
    reviewer = pages.person(Role.REVIEWER)
    page = reviewer.see(f"/console/collections/{name}")
    fields = dict(page.form("/console/sign-out").fields)
    sent = reviewer.client.post(
        f"/console/collections/{name}/erase",
        data={**fields, "subject": str(subject_ids(pages, name)[ROSA]), "asked": "y", "sure": "y"},
    )
    assert sent.status_code == 403
    assert len(subject_ids(pages, name)) == 3


def test_a_certificate_that_is_not_there_is_said_so(admin: Person) -> None:
    for path in ("nothing", NOBODY, f"{NOBODY}/file"):
        assert admin.see(f"/console/certificates/{path}").status == 404
    for query in ({"after": "x"}, {"after": NOBODY}, {"collection": "nowhere"}):
        shown = admin.see("/console/certificates", **query)
        assert 'role="alert"' in shown.html


def test_erased_again_nobody_is_erased_twice(pages: Pages, admin: Person, name: str) -> None:
    asked = ask(admin, name, subject=str(subject_ids(pages, name)[ROSA]))
    path = f"/console/collections/{name}/erase"
    first = admin.send(asked, path, {"sure": "yes"})
    again = admin.send(asked, path, {"sure": "yes"})
    assert (again.status, again.path) == (200, first.path)
    assert UUID(first.path.rpartition("/")[2])
