"""Every page and form, with nothing, too much and rubbish: answered in words, never a fault."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import likeness.console
from likeness.console.pages import ROUTER
from likeness.console.router import Route
from likeness.terms import Role
from tests.console.conftest import Pages
from tests.console.people import Person
from tests.console.test_roles import csrf_of, path_of

_SCRIPT = "<script>alert('of hostile')</script>"
_OWN = {"/sign-out", "/account/password", "/account/codes", "/account/codes/stop"}
_QUESTION = "?after=%00&before=%ff&page=-1&find=<script>&at=nan&number=1e999&from=x&to=&which=.."


def field_names() -> set[str]:
    """The fields that pages read."""
    folder = Path(next(iter(likeness.console.__path__)))
    read = re.compile(r'\b(?:text|all|has|file|secret)\("(\w+)"\)')
    names = {name for path in folder.rglob("*.py") for name in read.findall(path.read_text())}
    return names - {"csrf", "once"}


def paths_of(route: Route, collection: str) -> Iterator[str]:
    """Addresses of a page: of what is not there, of a collection that is, and of rubbish."""
    yield path_of(route)
    for part in (collection, "%00", "%ff", "..%2f..", "x" * 2_000):
        if "{name}" in route.path:
            yield path_of(route).replace("nothing", part)


@pytest.fixture
def admin(pages: Pages) -> Person:
    return pages.person(Role.ADMIN)


@pytest.fixture
def collection(admin: Person) -> str:
    """A collection of one's own, with nobody in it."""
    name = f"hostile-{admin.name}"
    asked = {"csrf": csrf_of(admin), "name": name}
    assert admin.client.post("/console/collections", data=asked).status_code == 200
    return name


def test_every_page_answers_whatever_is_asked(admin: Person, collection: str) -> None:
    for route in ROUTER.routes:
        if route.method == "GET":
            for path in paths_of(route, collection):
                answered = admin.client.get(path + _QUESTION, follow_redirects=False)
                assert answered.status_code < 500, path
                assert "<script>" not in answered.text, path


@pytest.mark.parametrize("value", [None, "", _SCRIPT, "\x00", "9" * 5_000, "\u202e.."])
def test_every_form_answers_whatever_is_typed(
    admin: Person, collection: str, value: str | None
) -> None:
    fields = {} if value is None else dict.fromkeys(field_names(), value)
    assert {"name", "reason", "person"} <= field_names()
    csrf = csrf_of(admin)
    for route in ROUTER.routes:
        if route.method == "POST" and route.path not in _OWN:
            for path in paths_of(route, collection):
                sent = {"csrf": csrf, **fields}
                answered = admin.client.post(path, data=sent, follow_redirects=False)
                assert answered.status_code < 500, (path, answered.text)
                assert _SCRIPT not in answered.text, path
    assert admin.see("/console/account").path == "/console/account"


def test_every_form_answers_files_that_are_no_pictures(admin: Person, collection: str) -> None:
    csrf = csrf_of(admin)
    for route in ROUTER.routes:
        if route.method == "POST" and route.path not in _OWN:
            for path in paths_of(route, collection):
                files = {name: (f"{_SCRIPT}.jpg", b"no picture") for name in field_names()}
                sent = {"csrf": csrf}
                answered = admin.client.post(path, data=sent, files=files, follow_redirects=False)
                assert answered.status_code < 500, (path, answered.text)
                assert _SCRIPT not in answered.text, path
