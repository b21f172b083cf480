"""People and keys: made by an admin, with secrets that are shown once."""

import re
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from likeness.access.access_keys import KEYS, SECRETS
from likeness.access.passwords import PASSWORDS
from likeness.errors import TooBusy
from likeness.service.govern import passwords
from likeness.service.govern.keys import list_keys
from likeness.terms import Role
from tests.console.conftest import PASSWORD, Pages
from tests.console.people import Person, Shown

_NAMES = iter(range(1_000_000))


def added(pages: Pages, admin: Person, **fields: object) -> Shown:
    """Add somebody; gives the page that shows their secrets."""
    given = {"person": f"new-{next(_NAMES)}", **fields}
    return admin.send(admin.see("/console/people"), "/console/people", given)


def shown_in(page: Shown, label: str) -> str:
    found = re.search(rf"<dt>{label}</dt>\s*<dd><code>([^<]*)</code>", page.html)
    assert found, page.text
    return found[1]


def test_somebody_who_is_added_signs_in_with_what_was_shown(pages: Pages) -> None:
    admin = pages.person()
    page = added(
        pages,
        admin,
        person="Mina <b>Harker</b> / ..",
        role="reviewer",
        organisation="Exeter",
        sector="charity",
        jurisdiction="GB",
        main_purpose="missing-persons",
        purposes=["research", "missing-persons"],
    )
    assert "Mina <b>Harker</b> / .. is added." in page.text
    password, secret = shown_in(page, "Password"), shown_in(page, "Secret access key")
    key_id = shown_in(page, "Access key id")
    (made,) = [one for one in list_keys(pages.home) if one.name == "Mina <b>Harker</b> / .."]
    assert made.grant.role is Role.REVIEWER
    assert made.grant.purposes == ("missing-persons", "research")
    for name, word in ((made.name, password), (key_id, secret)):
        assert pages.stranger().sign_in(name, word, to="/console/account").status == 200
    again = admin.see(page.path)
    assert password not in again.html
    assert secret not in again.html


def test_a_form_that_is_sent_twice_makes_one_key_and_loses_no_secret(pages: Pages) -> None:
    admin = pages.person()
    form = admin.see("/console/people")
    given = {"person": f"twice-{next(_NAMES)}"}
    first = admin.client.post(
        "/console/people",
        data={**dict(form.form("/console/people").fields), **given},
        follow_redirects=False,
    )
    page = admin.send(form, "/console/people", given)
    assert page.path == first.headers["location"]
    assert shown_in(page, "Secret access key")
    assert len([one for one in list_keys(pages.home) if one.name == given["person"]]) == 1


def test_a_password_that_cannot_be_kept_loses_no_secret_of_the_key(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise TooBusy("Not now.")

    monkeypatch.setattr(passwords, "set_password", refuse)
    page = added(pages, pages.person())
    assert "is added, but has no password yet. The server is busy." in page.text
    key_id, secret = shown_in(page, "Access key id"), shown_in(page, "Secret access key")
    assert pages.stranger().sign_in(key_id, secret, to="/console/account").status == 200


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("person", "", "Not an access key&#39;s name"),
        ("person", "x" * 300, "300 characters"),
        ("role", "boss", "No such role"),
        ("organisation", "y" * 300, "Not an organisation"),
        ("sector", "polizei", "polizei"),
        ("jurisdiction", "<script>", "&lt;script&gt;"),
        ("main_purpose", "anything", "anything"),
        ("purposes", ["a-purpose"] * 40, "a-purpose"),
    ],
)
def test_what_cannot_be_granted_is_said_beside_its_field(
    pages: Pages, field: str, value: object, said: str
) -> None:
    admin = pages.person()
    page = added(pages, admin, **{"organisation": "kept as typed", field: value})
    assert page.status == 400
    named = "main_purpose" if field == "purposes" else field
    wrong = re.search(rf'id="{named}-wrong">([^<]*)<', page.html)
    assert wrong, page.text
    assert said in wrong[1]
    if field != "organisation":
        assert 'value="kept as typed"' in page.html
    assert "<script>" not in page.html


def test_a_name_that_is_taken_is_said_beside_it(pages: Pages) -> None:
    admin = pages.person()
    name = pages.make(Role.CLIENT)
    page = added(pages, admin, person=name)
    assert page.status == 409
    assert 'id="person-wrong"' in page.html


def page_of(pages: Pages, name: str) -> str:
    (key,) = [one for one in list_keys(pages.home) if one.name == name]
    return f"/console/people/{key.id}"


def test_a_disabled_person_is_out_at_once_and_in_again_when_enabled(pages: Pages) -> None:
    admin, name = pages.person(), pages.make(Role.OPERATOR)
    path = page_of(pages, name)
    operator = pages.stranger()
    assert operator.sign_in(name, PASSWORD, to="/console/account").status == 200
    page = admin.send(admin.see(path), f"{path}/disable")
    assert f"{name} is disabled" in page.text
    assert operator.see("/console/account").path == "/console/sign-in"
    assert pages.stranger().sign_in(name, PASSWORD).status == 401
    admin.send(page, f"{path}/enable")
    assert operator.see("/console/account").path == "/console/sign-in"
    assert pages.stranger().sign_in(name, PASSWORD, to="/console/account").status == 200


def test_a_new_password_ends_the_old_one_and_its_sessions(pages: Pages) -> None:
    admin, name = pages.person(), pages.make(Role.OPERATOR)
    path = page_of(pages, name)
    operator = pages.stranger()
    operator.sign_in(name, PASSWORD)
    password = shown_in(admin.send(admin.see(path), f"{path}/password"), "Password")
    assert operator.see("/console/account").path == "/console/sign-in"
    assert pages.stranger().sign_in(name, PASSWORD).status == 401
    assert pages.stranger().sign_in(name, password, to="/console/account").status == 200
    page = admin.send(admin.see(path), f"{path}/password/remove")
    assert "the access key alone" in page.text
    assert pages.stranger().sign_in(name, password).status == 401


def test_a_secret_that_is_replaced_at_once_ends_and_its_admin_stays_signed_in(
    pages: Pages,
) -> None:
    admin = pages.person()
    page = added(pages, admin, role="admin")
    own = pages.stranger()
    own.sign_in(shown_in(page, "Access key id"), shown_in(page, "Secret access key"))
    rotated = own.send(own.see(page.path), f"{page.path}/rotate", {"grace_hours": "0"})
    secret = shown_in(rotated, "Secret access key")
    assert own.see("/console/people").status == 200
    old = shown_in(page, "Access key id"), shown_in(page, "Secret access key")
    assert pages.stranger().sign_in(*old).status == 401
    new = shown_in(rotated, "Access key id"), secret
    assert pages.stranger().sign_in(*new).status == 200


@pytest.mark.parametrize("hours", ["soon", "-1", "99999", "1e3", "9" * 5000])
def test_a_grace_that_is_none_is_said_beside_it(pages: Pages, hours: str) -> None:
    admin, name = pages.person(), pages.make(Role.CLIENT)
    path = page_of(pages, name)
    page = admin.send(admin.see(path), f"{path}/rotate", {"grace_hours": hours})
    assert page.status == 400
    assert 'id="grace_hours-wrong"' in page.html


def test_people_are_found_by_name_page_by_page(pages: Pages) -> None:
    admin, name = pages.person(), pages.make(Role.AUDITOR)
    page = admin.see("/console/people", find=name.upper())
    assert name in page.text
    assert "Nobody has that name" in admin.see("/console/people", find="<nobody>").text
    assert name not in admin.see("/console/people", find=name, after=name).text


def test_nobody_of_an_id_is_nobody(pages: Pages) -> None:
    admin = pages.person()
    nobody = "/console/people/00000000-0000-4000-8000-000000000000"
    assert admin.see(nobody).status == 404
    assert admin.see("/console/people/no-id").status == 404


def test_the_first_admin_gives_themself_a_password_and_stays_signed_in(pages: Pages) -> None:
    admin = pages.person()
    page = added(pages, admin, role="admin", password=[])
    own = pages.stranger()
    account = own.sign_in(
        shown_in(page, "Access key id"), shown_in(page, "Secret access key"), to="/console/account"
    )
    assert page.path in account.links
    given = own.send(own.see(page.path), f"{page.path}/password")
    password = shown_in(given, "Password")
    assert own.see("/console/account").status == 200
    name = shown_in(given, "Name to sign in with")
    assert pages.stranger().sign_in(name, password).status == 200


def test_an_admin_who_disables_themself_is_out(pages: Pages) -> None:
    admin = pages.person()
    path = page_of(pages, admin.name)
    out = admin.send(admin.see(path), f"{path}/disable")
    assert out.path == "/console/sign-in"
    assert pages.stranger().sign_in(admin.name, PASSWORD).status == 401


def test_a_key_that_was_broken_from_outside_can_be_disabled_alone(pages: Pages) -> None:
    admin, name = pages.person(), pages.make(Role.CLIENT)
    path = page_of(pages, name)
    broken = update(KEYS).where(KEYS.c.name == name).values(role="emperor")
    pages.home.database.write(lambda connection: connection.execute(broken))
    page = admin.see(path)
    assert "what no key can" in page.text
    assert [one.action for one in page.forms] == ["/console/sign-out", f"{path}/disable"]
    assert "changed from outside" in admin.see("/console/people", find=name).text
    assert "disabled since" in admin.send(page, f"{path}/disable").text
    key_id = UUID(path.rpartition("/")[2])
    for column in (SECRETS.c.key_id, PASSWORDS.c.key_id, KEYS.c.id):  # others go on without it
        gone = delete(column.table).where(column == key_id)
        pages.home.database.write(lambda connection, gone=gone: connection.execute(gone))
