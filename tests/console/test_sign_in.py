"""Signing in: with a password, with an access key, and not by guessing."""

from likeness.terms import Role
from tests.console.conftest import PASSWORD, Pages


def test_somebody_signs_in_with_a_password_and_out(pages: Pages) -> None:
    person = pages.stranger()
    name = pages.make(Role.OPERATOR)
    shown = person.sign_in(name, PASSWORD, to="/console/account")
    assert shown.path == "/console/account"
    assert name in shown.text
    person.send(shown, "/console/sign-out")
    assert person.see("/console/account").path == "/console/sign-in"


def test_the_first_access_key_signs_in(pages: Pages) -> None:
    shown = pages.stranger().sign_in(*pages.first_key)
    assert shown.path == "/console/try"


def test_who_guesses_waits_and_learns_nothing(pages: Pages) -> None:
    name = pages.make()
    person = pages.stranger(**{"x-forwarded-for": "192.0.2.1"})
    said = [person.sign_in(name, f"guess {number}") for number in range(6)]
    nobodys = person.sign_in("nobody at all", "guess")
    assert {one.status for one in said[:4]} == {401}
    assert said[0].text == nobodys.text or nobodys.status == 429
    assert said[5].status == 429
    assert person.sign_in(name, PASSWORD).status == 429


def test_forms_from_elsewhere_are_refused(pages: Pages) -> None:
    person = pages.person()
    sent = person.client.post("/console/sign-out", data={"csrf": "x"})
    assert sent.status_code == 403
    other = person.client.post("/console/sign-out", headers={"origin": "https://evil.example"})
    assert other.status_code == 403
    assert person.see("/console/account").status == 200


def test_a_page_next_is_ours(pages: Pages) -> None:
    for to in ("https://evil.example/", "//evil.example", "/console//evil.example", "/console/\\x"):
        shown = pages.stranger().sign_in(pages.make(), PASSWORD, to=to)
        assert shown.path == "/console/try"
