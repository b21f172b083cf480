"""Forms at the door: once, from here, by whoever wrote them, and whatever they hold."""

import json
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from starlette.datastructures import Headers
from starlette.types import Scope

from likeness.console import application, browsers, drafts
from likeness.console.forms import Form, read_form
from likeness.console.memory import Memory
from likeness.console.router import Route
from likeness.console.visit import Outcome, Visit
from likeness.server.addresses import ADDRESS, PROXIED
from likeness.service.govern.keys import list_keys
from likeness.terms import Role
from tests.console.conftest import PASSWORD, Pages
from tests.console.people import Person, Shown


def add_form(person: Person) -> Shown:
    return person.see("/console/people")


def test_what_was_written_when_the_session_was_over_comes_back_to_who_wrote_it(
    pages: Pages,
) -> None:
    admin = pages.person()
    form = add_form(admin)
    admin.client.cookies.clear()
    over = admin.send(
        form,
        "/console/people",
        {"person": "Né <script>", "organisation": "Exeter", "purposes": ["research", "redaction"]},
    )
    assert over.status == 401
    assert "Your session is over" in over.text
    assert "<script>N" not in over.html
    again = admin.send(over, "/console/sign-in", {"name": admin.name, "secret": PASSWORD})
    assert (again.path, again.status) == ("/console/people", 200)
    assert "This was not done" in again.text
    fields = again.form("/console/people").fields
    assert {("person", "Né <script>"), ("organisation", "Exeter")} <= set(fields)
    assert [one for name, one in fields if name == "purposes"] == ["research", "redaction"] or [
        one for name, one in fields if name == "purposes"
    ] == ["redaction", "research"]
    assert "This was not done" not in admin.see("/console/people").text


def test_somebody_else_at_the_same_browser_does_not_get_what_was_written(pages: Pages) -> None:
    admin = pages.person()
    form = add_form(admin)
    admin.client.cookies.clear()
    over = admin.send(form, "/console/people", {"person": "a secret name"})
    other = admin.send(over, "/console/sign-in", {"name": pages.make(), "secret": PASSWORD})
    assert other.status == 200
    assert "a secret name" not in other.html


def test_a_wrong_password_loses_nothing_that_was_written(pages: Pages) -> None:
    admin = pages.person()
    form = add_form(admin)
    admin.client.cookies.clear()
    over = admin.send(form, "/console/people", {"person": "kept"})
    wrong = admin.send(over, "/console/sign-in", {"name": admin.name, "secret": "a guess"})
    assert wrong.status == 401
    assert ("name", admin.name) in wrong.form("/console/sign-in").fields
    again = admin.send(wrong, "/console/sign-in", {"name": admin.name, "secret": PASSWORD})
    assert ("person", "kept") in again.form("/console/people").fields


def test_passwords_are_in_no_draft(pages: Pages) -> None:
    admin = pages.person()
    form = admin.see("/console/account")
    admin.client.cookies.clear()
    over = admin.send(
        form,
        "/console/account/password",
        {"secret_present": PASSWORD, "secret_new": "new words here", "secret_again": "new words"},
    )
    assert over.status == 401
    assert PASSWORD not in over.html
    assert "new words" not in over.html
    again = admin.send(over, "/console/sign-in", {"name": admin.name, "secret": PASSWORD})
    assert again.path == "/console/account"


def test_signing_out_after_the_session_leads_to_the_sign_in(pages: Pages) -> None:
    admin = pages.person()
    form = admin.see("/console/account")
    admin.client.cookies.clear()
    over = admin.send(form, "/console/sign-out")
    assert over.status == 401
    again = admin.send(over, "/console/sign-in", {"name": admin.name, "secret": PASSWORD})
    assert again.status == 200


def test_too_much_for_a_session_that_is_over_is_told_as_that(pages: Pages) -> None:
    admin = pages.person()
    form = add_form(admin)
    admin.client.cookies.clear()
    over = admin.send(form, "/console/people", {"person": "x" * 100_000})
    assert over.status == 401
    assert "Your session is over" in over.text


def test_a_draft_that_is_too_long_keeps_nobody_from_signing_in(pages: Pages) -> None:
    admin = pages.person()
    page = add_form(admin)
    admin.client.cookies.clear()
    over = admin.send(page, "/console/people", {"person": "x", "organisation": '"' * 18_000})
    assert over.status == 401
    assert "what you wrote is kept" not in over.text
    again = admin.send(over, "/console/sign-in", {"name": admin.name, "secret": PASSWORD})
    assert (again.status, again.path) == (200, "/console/people")


def test_a_page_with_its_query_is_come_back_to(pages: Pages) -> None:
    stranger = pages.stranger()
    asked = stranger.see("/console/people", find="a b&c=ü", after="")
    assert asked.path == "/console/sign-in"
    name = pages.make()
    shown = stranger.send(asked, "/console/sign-in", {"name": name, "secret": PASSWORD})
    assert shown.path == "/console/people"
    assert re.search(r'name="find" value="a b&amp;c=ü"', shown.html)


def test_a_form_that_was_refused_may_be_sent_again(pages: Pages) -> None:
    admin = pages.person()
    refused = admin.send(add_form(admin), "/console/people", {"person": "", "organisation": "O"})
    assert refused.status == 400
    mended = admin.send(refused, "/console/people", {"person": f"mended by {admin.name}"})
    assert mended.status == 200
    assert "is added" in mended.text


def test_the_address_of_a_form_shows_the_form(pages: Pages) -> None:
    admin = pages.person()
    assert admin.see("/console/account/password").status == 200
    assert admin.see("/console/sign-out").status == 404


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"%ff=%fe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=b" for _ in range(3_000))),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nno part"),
        ("multipart/form-data; boundary=x; charset=punycode", b"--x--\r\n"),
        ("text/plain", b"name=a"),
        ("", b"name=a"),
        ("application/json", b"{}"),
    ],
)
@pytest.mark.parametrize("who", ["stranger", "admin"])
def test_what_is_no_form_is_refused_in_words(
    pages: Pages, who: str, kind: str, body: bytes
) -> None:
    person = pages.stranger() if who == "stranger" else pages.person()
    path = "/console/sign-in" if who == "stranger" else "/console/people"
    answered = person.client.post(path, content=body, headers={"content-type": kind})
    assert answered.status_code == 400
    assert "Send it from the page" in answered.text


def test_strangers_send_little(pages: Pages) -> None:
    asked = {"name": "a", "secret": "x" * 100_000}
    answered = pages.stranger().client.post("/console/sign-in", data=asked)
    assert answered.status_code == 413


def test_what_a_form_is_known_by_and_a_draft_are_short(pages: Pages) -> None:
    admin = pages.person()
    form, path = add_form(admin), "/console/people"
    assert admin.send(form, path, {"person": "long", "once": "x" * 65}).status == 400
    assert "long" not in {one.name for one in list_keys(pages.home)}
    for length, kept in ((1_000, True), (70_000, False)):
        memory = Memory()
        drafts.keep_draft(memory, path, json.dumps({"person": ["x" * length]}))
        assert bool(memory.drafts) is kept


@pytest.mark.parametrize("who", ["stranger", "client"])
def test_a_form_that_takes_long_to_read_holds_up_nobody(
    pages: Pages, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = pages.stranger() if who == "stranger" else pages.person(Role.CLIENT)
    goes, ends = threading.Event(), threading.Event()

    def read(headers: Headers, body: bytes) -> Form:
        goes.set()
        assert ends.wait(30)
        return read_form(headers, body)

    monkeypatch.setattr(application, "read_form", read)
    with ThreadPoolExecutor(1) as another:
        sent = another.submit(person.client.post, "/console/sign-in", data={"name": "a"})
        assert goes.wait(30)
        assert pages.stranger().client.get("/console/static/console.css").status_code == 200
        ends.set()
        assert sent.result().status_code == 401


def test_what_was_sent_is_counted_for_as_long_as_it_is_worked_on(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, outcome = [], application._outcome

    def counts(route: Route, visit: Visit) -> Outcome:
        counted.append(visit.offered.operated.figures().body_bytes)
        return outcome(route, visit)

    client = pages.person(Role.CLIENT)
    page = client.see("/console/try")
    monkeypatch.setattr(application, "_outcome", counts)
    files = {"picture": ("a.png", bytes(100_000))}
    assert client.send(page, "/console/try", files=files).status == 400
    assert counted[0] >= 100_000


@pytest.mark.parametrize("headers", [{"origin": "null"}, {"origin": "https://["}, {"origin": ""}])
def test_a_sign_in_from_elsewhere_is_refused(pages: Pages, headers: Mapping[str, str]) -> None:
    asked = {"name": pages.make(), "secret": PASSWORD}
    stranger = pages.stranger()
    answered = stranger.client.post("/console/sign-in", data=asked, headers=dict(headers))
    assert answered.status_code == 403
    assert "set-cookie" not in answered.headers
    framed = {"sec-fetch-site": "cross-site"}
    assert stranger.client.post("/console/sign-in", data=asked, headers=framed).status_code == 403


def test_every_answer_keeps_to_the_policy_of_contents(pages: Pages) -> None:
    admin = pages.person()
    for path in ("/console/people", "/console/nothing", "/console/static/console.css"):
        headers = admin.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        if "static" not in path:
            assert headers["cache-control"] == "no-store"
    assert "style=" not in admin.see("/console/people").html
    assert not re.search(r"\son\w+=", admin.see("/console/people").html)


def test_files_of_the_pages_are_kept_by_browsers_until_they_change(pages: Pages) -> None:
    stranger = pages.stranger()
    (address,) = re.findall(
        r'href="([^"]*console\.css[^"]*)"', stranger.see("/console/sign-in").html
    )
    answered = stranger.client.get(address)
    assert answered.status_code == 200
    assert "immutable" in answered.headers["cache-control"]
    for path in ("no.css", "..%2f__init__.py", "../__init__.py", "%2e%2e/forms.py", ""):
        assert stranger.client.get(f"/console/static/{path}").status_code == 404


@pytest.mark.parametrize("path", ["\r\nset-cookie: a=b/", "//evil.example/", "ü/", "a b/", "?x/"])
def test_addresses_hold_whatever_they_like(pages: Pages, path: str) -> None:
    stranger = pages.stranger()
    answered = stranger.client.get(f"/console/{quote(path)}", follow_redirects=False)
    assert answered.status_code == 303
    assert answered.headers["location"].startswith("/console/")
    assert "set-cookie" not in answered.headers
    assert pages.person().see(f"/console/{quote(path)}x").status == 404


def test_a_number_of_many_digits_is_none(pages: Pages) -> None:
    admin, case = pages.person(), "/console/review/00000000-0000-4000-8000-000000000000"
    for digits in ("9", "9" * 10, "9" * 5_000):
        assert admin.see(f"{case}/{digits}").status == 404


def test_a_question_of_too_many_parts_is_none(pages: Pages) -> None:
    assert (
        pages.person().see("/console/people?" + "&".join("a=b" for _ in range(500))).status == 200
    )


def test_the_cookie_is_for_the_pages_alone_and_for_no_script(pages: Pages) -> None:
    stranger = pages.stranger()
    asked = {"name": pages.make(), "secret": PASSWORD}
    answered = stranger.client.post("/console/sign-in", data=asked, follow_redirects=False)
    cookie = answered.headers["set-cookie"]
    assert re.fullmatch(
        r"likeness-session=[\w-]{43}; Path=/console; HttpOnly; SameSite=Lax", cookie
    )


def test_a_foreign_cookie_beside_ours_does_no_harm(pages: Pages) -> None:
    person = pages.person(Role.CLIENT)
    kept = person.client.cookies["likeness-session"]
    person.client.cookies.clear()
    headers = {"cookie": f'a=" {{"x":1}}; =; likeness-session={kept}; b@d=\\"'}
    assert person.client.get("/console/account", headers=headers).status_code == 200


def scope(scheme: str = "http", proxied: bool = False, **headers: str) -> Scope:
    given = [(name.replace("_", "-").encode(), one.encode()) for name, one in headers.items()]
    state = {ADDRESS: "192.0.2.1", **({PROXIED: True} if proxied else {})}
    return {"type": "http", "scheme": scheme, "headers": given, "state": state}


@pytest.mark.parametrize(
    ("asked", "is_secure"),
    [
        (scope("https"), True),
        (scope(), False),
        (scope(x_forwarded_proto="https"), False),
        (scope(proxied=True), False),
        (scope(proxied=True, x_forwarded_proto="https"), True),
        (scope(proxied=True, x_forwarded_proto="http, https"), True),
        (scope(proxied=True, x_forwarded_proto="https, http"), False),
    ],
)
def test_tls_is_what_we_see_or_the_operators_proxy_says(asked: Scope, is_secure: bool) -> None:
    assert browsers.is_secure(asked) == is_secure


def test_behind_tls_the_cookie_is_the_hosts_own() -> None:
    for asked in (scope("https"), scope(origin="https://likeness.example")):
        cookie = browsers.cookies_for(asked, "token")
        assert cookie == "__Host-likeness-session=token; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert "Max-Age=0" in browsers.cookies_for(scope("https"), "")


def test_the_operators_proxy_says_that_a_browser_came_by_tls(pages: Pages) -> None:
    asked = {"name": pages.make(), "secret": PASSWORD}
    stranger = pages.stranger(**{"x-forwarded-proto": "https"})
    answered = stranger.client.post("/console/sign-in", data=asked, follow_redirects=False)
    assert answered.headers["set-cookie"].startswith("__Host-likeness-session=")


def test_behind_tls_no_neighbours_cookie_counts() -> None:
    tossed = "likeness-session=theirs"
    assert browsers.token_of(scope(cookie=tossed)) == "theirs"
    assert browsers.token_of(scope("https", cookie=tossed)) == ""
    both = f"{tossed}; __Host-likeness-session=ours"
    assert browsers.token_of(scope("https", cookie=both)) == "ours"
    assert browsers.token_of(scope(cookie="likeness-session=" + "x" * 101)) == ""
