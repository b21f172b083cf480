"""A real browser at the pages: what it complains of, what it asks for, and what it shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

NARROW, WIDE = (390, 844), (1600, 1000)
_SERIOUS = ("serious", "critical")
_TIMEOUT_MS = 30_000
expect.set_options(timeout=_TIMEOUT_MS)
_LOOK_EVERY_MS = 50


@dataclass
class Visitor:
    """A page of a browser; errors of it and requests to anywhere else are kept."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def sign_in(self, name: str, secret: str, to: str = "/console/try") -> None:
        """Sign in, and come to a page."""
        self.page.goto(f"{self.url}/console/sign-in?next={to}")
        self.page.fill("#name", name)
        self.page.fill("#secret", secret)
        self.page.click("main button")
        self.page.wait_for_url(f"{self.url}{to}")

    def go(self, path: str) -> None:
        """Go to a page."""
        self.page.goto(f"{self.url}{path}")

    def until(self, expression: str) -> None:
        """Wait until an expression is true of a page, which lets nothing be evaluated by itself.

        Playwright's `wait_for_function` looks from inside of the page, where the policy stops it.
        """
        until_s = time.monotonic() + _TIMEOUT_MS / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < until_s, f"it never comes to {expression}"
            self.page.wait_for_timeout(_LOOK_EVERY_MS)

    def choose(self, selector: str, value: str) -> None:
        """Choose a value, from a list or, where that would be too long, by typing it."""
        field = self.page.locator(selector)
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def faults(self) -> list[str]:
        """Say what axe-core finds serious, and what does not fit into the window."""
        found = Axe().run(self.page).response["violations"]
        said = [
            f"{one['id']}: {one['nodes'][0]['html'][:200]}"
            for one in found
            if one["impact"] in _SERIOUS
        ]
        wide = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        cut = self.page.evaluate(
            "[...document.querySelectorAll('.stacks')].some((one) => one.parentElement.scrollWidth"
            " > one.parentElement.clientWidth || one.querySelector('td:not([data-label], .bad)'))"
        )
        layout = {"it is wider than the window": wide, "a table is cut, or has unnamed cells": cut}
        return [*said, *(fault for fault, is_so in layout.items() if is_so)]

    def look(self, folder: Path, name: str) -> list[str]:
        """Take pictures of a page at both widths, light and dark; say what is wrong with it."""
        faults: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        for width, height in (NARROW, WIDE):
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found = self.faults()
                faults += [f"{name} at {width}, {scheme}: {one}" for one in found]
                path = folder / f"{name}-{width}-{scheme}.png"
                self.page.screenshot(path=path, full_page=True)
        self.page.emulate_media(color_scheme="light")
        return [*faults, *self.complaints, *self.outside]


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """Open a page of a browser that knows nothing yet."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, **options)
    context.set_default_timeout(_TIMEOUT_MS)
    visitor = Visitor(context.new_page(), url)
    page = visitor.page

    def complain(message: Any) -> None:
        # That a form was refused is no fault of its page.
        if message.type == "error" and "status of 4" not in message.text:
            visitor.complaints.append(message.text)

    def ask(request: Any) -> None:
        if not request.url.startswith((url, "data:", "blob:", "about:")):
            visitor.outside.append(f"asks for {request.url}")

    page.on("console", complain)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("request", ask)
    try:
        yield visitor
    finally:
        context.close()
