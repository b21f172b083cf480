"""Signing in: with a password, with an access key, and not by guessing."""

import base64
import html
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from likeness.terms import Role
from tests.console.conftest import PASSWORD, Pages


def _code(secret: str, steps: int = 0) -> str:
    """What an authenticator shows, now or so many steps later."""
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    return totp.generate(int(time.time()) + 30 * steps).decode()


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


def test_who_has_to_paste_a_secret_is_offered_a_password(pages: Pages) -> None:
    person = pages.stranger()
    shown = person.sign_in(*pages.first_key, to="/console/try")
    assert "Set a password" in shown.text
    assert shown.links.count("/console/account") == 2  # behind the name, too
    assert "Set a password" not in person.see("/console/try").text
    assert "Set a password" not in pages.stranger().sign_in(pages.make(), PASSWORD).text


def test_whose_session_is_over_is_shown_as_signed_out(pages: Pages) -> None:
    person = pages.person()
    page = person.see("/console/account")
    person.client.cookies.clear()
    over = person.send(page, "/console/sign-out")
    assert '<p class="note" role="status">Your session is over' in over.html
    assert "Sign out" not in over.text
    assert person.name not in over.text


def test_who_guesses_waits_and_learns_nothing(pages: Pages) -> None:
    name = pages.make()
    person = pages.stranger()
    said = [person.sign_in(name, f"guess {number}") for number in range(6)]
    nobodys = person.sign_in("nobody at all", "guess")
    assert {one.status for one in said[:4]} == {401}
    assert said[0].text == nobodys.text or nobodys.status == 429
    assert said[5].status == 429
    assert person.sign_in(name, PASSWORD).status == 429


def test_a_browser_at_the_bare_address_is_led_to_the_pages(pages: Pages) -> None:
    person = pages.stranger(accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert person.see("/").path == "/console/sign-in"
    # Others get the wire's answer, and so does what is not GET.
    assert pages.stranger(accept="*/*").client.get("/").status_code == 404
    posted = person.client.post("/", content=b"{}")
    assert posted.headers["content-type"] == "application/x-amz-json-1.1"


def test_forms_from_elsewhere_are_refused(pages: Pages) -> None:
    person = pages.person()
    sent = person.client.post("/console/sign-out", data={"csrf": "x"})
    assert sent.status_code == 403
    other = person.client.post("/console/sign-out", headers={"origin": "https://evil.example"})
    assert other.status_code == 403
    assert person.see("/console/account").status == 200


@pytest.mark.parametrize(
    ("to", "leads"),
    [
        ("https://evil.example/", "/console"),
        ("https:/console/people", "/console"),
        ("//evil.example", "/console"),
        ("/console//evil.example", "/console"),
        ("/console/..//evil.example", "/console"),
        ("/console/\\x", "/console"),
        ("javascript:alert(1)", "/console"),
        ("http://[", "/console"),
        ("/v1/jobs", "/console"),
        ("/console/people\r\nset-cookie: a=b", "/console/peopleset-cookie%3A%20a%3Db"),
        ("/console/é?q=ü b&c=%0d%0a", "/console/%C3%A9?q=%C3%BC%20b&c=%0d%0a"),
        ("/console/people?find=a", "/console/people?find=a"),
    ],
)
def test_a_page_next_is_ours(pages: Pages, to: str, leads: str) -> None:
    asked = {"name": pages.make(), "secret": PASSWORD, "next": to}
    answered = pages.stranger().client.post("/console/sign-in", data=asked, follow_redirects=False)
    assert answered.status_code == 303
    assert answered.headers["location"] == leads


def test_codes_are_asked_for_from_then_on_and_each_is_taken_once(pages: Pages) -> None:
    name = pages.make(Role.REVIEWER)
    person = pages.stranger()
    account = person.sign_in(name, PASSWORD, to="/console/account")
    secret = dict(account.form("/console/account/codes").fields)["secret_of_codes"]
    assert " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) in account.text
    address = html.unescape(account.html)
    assert f"otpauth://totp/Likeness:{name}?" in address
    for password, code, field in (
        (PASSWORD, "000000", "code"),
        ("a guess", _code(secret), "secret_for_codes"),
    ):
        wrong = person.send(
            account, "/console/account/codes", {"secret_for_codes": password, "code": code}
        )
        assert wrong.status == 400
        assert f'id="{field}-wrong"' in wrong.html
        assert secret in dict(wrong.form("/console/account/codes").fields).values()
    on = person.send(
        account, "/console/account/codes", {"secret_for_codes": PASSWORD, "code": _code(secret)}
    )
    assert "From now on you are asked for a code" in on.text

    other = pages.stranger()
    later = _code(secret, steps=1)
    assert other.sign_in(name, PASSWORD).status == 401
    assert other.sign_in(name, PASSWORD, "000000").status == 401
    assert other.sign_in(name, PASSWORD, later, to="/console/account").status == 200
    assert pages.stranger().sign_in(name, PASSWORD, later).status == 401

    page = person.see("/console/account")
    assert person.send(page, "/console/account/codes/stop", {"secret_to_stop": "x"}).status == 400
    person.send(page, "/console/account/codes/stop", {"secret_to_stop": PASSWORD})
    assert pages.stranger().sign_in(name, PASSWORD, to="/console/account").status == 200


def test_ones_own_password_is_changed_and_other_sessions_end(pages: Pages) -> None:
    name = pages.make(Role.OPERATOR)
    here, there = pages.stranger(), pages.stranger()
    here.sign_in(name, PASSWORD)
    there.sign_in(name, PASSWORD)
    account = here.see("/console/account")
    chosen = "another four words"
    for present, new, again, field in (
        ("a guess", chosen, chosen, "secret_present"),
        (PASSWORD, chosen, "four other words", "secret_again"),
        (PASSWORD, "short", "short", "secret_new"),
    ):
        wrong = here.send(
            account,
            "/console/account/password",
            {"secret_present": present, "secret_new": new, "secret_again": again},
        )
        assert wrong.status == 400
        assert f'id="{field}-wrong"' in wrong.html
        assert present not in wrong.html
    changed = here.send(
        account,
        "/console/account/password",
        {"secret_present": PASSWORD, "secret_new": chosen, "secret_again": chosen},
    )
    assert "The password is changed" in changed.text
    assert there.see("/console/account").path == "/console/sign-in"
    assert pages.stranger().sign_in(name, PASSWORD).status == 401
    assert pages.stranger().sign_in(name, chosen, to="/console/account").status == 200


def test_guesses_at_ones_own_password_count_as_at_the_sign_in(pages: Pages) -> None:
    name = pages.make(Role.CLIENT)
    person = pages.stranger(**{"x-forwarded-for": "192.0.2.1"})
    person.sign_in(name, PASSWORD)
    account = person.see("/console/account")
    said = [
        person.send(
            account,
            "/console/account/password",
            {
                "secret_present": f"guess {number}",
                "secret_new": "a new one of words",
                "secret_again": "a new one of words",
            },
        ).status
        for number in range(7)
    ]
    assert said == [400] * 5 + [409] * 2
    beside = pages.stranger(**{"x-forwarded-for": "192.0.2.1"})
    assert beside.sign_in(name, PASSWORD).status == 429


def test_guesses_that_come_at_once_are_no_more_than_those_that_come_in_turn(pages: Pages) -> None:
    name = pages.make(Role.CLIENT)
    person = pages.stranger()
    with ThreadPoolExecutor(12) as pool:
        guesses = pool.map(lambda number: person.sign_in(name, f"guess {number}"), range(12))
        said = sorted(one.status for one in guesses)
    assert said == [401] * 4 + [429] * 8


def test_who_signed_in_with_a_key_has_no_password_to_change(pages: Pages) -> None:
    person = pages.stranger()
    shown = person.sign_in(*pages.first_key, to="/console/account")
    assert "An admin can give you a password" in shown.text
    assert shown.forms == [shown.form("/console/sign-out")]


def test_a_second_sign_in_in_another_window_is_taken(pages: Pages) -> None:
    one, two = pages.make(), pages.make()
    person = pages.stranger()
    person.sign_in(one, PASSWORD)
    assert two in person.sign_in(two, PASSWORD, to="/console/account").text
    assert person.see("/console/sign-in").path == "/console/try"


@pytest.mark.parametrize("name", ["", " ", "x" * 10_000, "a\x00b", "<script>", "' OR 1=1 --", "Ä"])
def test_whatever_is_typed_as_a_name_is_nobodys(pages: Pages, name: str) -> None:
    person = pages.stranger()
    shown = person.sign_in(name, "a guess", "1" * 10_000)
    assert shown.status in (401, 429)
    assert "<script>" not in shown.html
