"""A server whose networks see discs, people at its pages, and a browser."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from likeness.access import Grant
from likeness.app.serving import Serving
from likeness.service.govern.keys import create_key
from likeness.service.govern.passwords import set_password
from likeness.service.uses import Caller, Home
from likeness.terms import Principal, Role
from tests.cli.conftest import ship_standards
from tests.console.browsing import Visitor, visiting
from tests.console.people import Person
from tests.rekognition.conftest import Running, serving_discs
from tests.reports.browser import find_chromium

PASSWORD = "four words that nobody guesses"
_NUMBERS = itertools.count()


class Pages:
    """A server of pages, and whoever is made to use them."""

    def __init__(self, running: Running, serving: Serving) -> None:
        self.url = running.url
        self.folder = running.home
        self.first_key = running.access_key_id, running.secret
        self.client: Any = running.client()
        self.home: Home = serving.home
        self.opened = ExitStack()

    def stranger(self, **headers: str) -> Person:
        """Somebody who is not signed in, without a browser; from an address of their own."""
        number = next(_NUMBERS)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        person = Person(self.url, **{"x-forwarded-for": address, **headers})
        self.opened.callback(person.client.close)
        return person

    def make(
        self, role: Role = Role.ADMIN, *, purposes: tuple[str, ...] = (), **granted: str
    ) -> str:
        """Make somebody who may sign in with `PASSWORD`; gives their name."""
        name = f"{role.value}-{next(_NUMBERS)}"
        admin = Caller(Principal("local:tests", Role.ADMIN), "CreateAccessKey")
        grant = Grant(role, purposes=purposes, **granted)
        create_key(self.home, admin, name, grant)
        set_password(self.home, admin, name, PASSWORD)
        return name

    def person(self, role: Role = Role.ADMIN, **granted: object) -> Person:
        """Somebody of a role who is signed in, without a browser."""
        person = self.stranger()
        shown = person.sign_in(self.make(role, **granted), PASSWORD, to="/console/account")  # type: ignore[arg-type]
        assert shown.status == 200, shown.text
        return person


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """One server for all tests, behind a proxy; each makes people and collections of its own."""
    shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    home = tmp_path_factory.mktemp("home")
    with serving_discs(home, shipped, behind_proxy=True) as (running, serving):
        pages = Pages(running, serving)
        with pages.opened:
            yield pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, with a camera that shows a test picture.

    Of one module, since nothing else on its thread can run an event loop while Playwright does.
    """
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        arguments = [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
        ]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, pages: Pages) -> Iterator[Callable[..., Visitor]]:
    """Somebody of a role at a page, in the browser."""
    with ExitStack() as opened:

        def visit(to: str, role: Role = Role.ADMIN, **granted: object) -> Visitor:
            visitor = opened.enter_context(visiting(browser, pages.url))
            visitor.sign_in(pages.make(role, **granted), PASSWORD, to)  # type: ignore[arg-type]
            return visitor

        yield visit


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages go: `LIKENESS_SCREENSHOTS`, or a folder that is thrown away."""
    chosen = os.environ.get("LIKENESS_SCREENSHOTS")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
