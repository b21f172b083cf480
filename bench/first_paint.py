"""How long the console's pages take to be seen, in a browser on loopback, with many faces."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.filled_home import COLLECTION
from bench.server import Server, serve
from tests.reports.browser import find_chromium

_REFERENCES = 1_000_000
_FEW = 10_000
_TIMES = 9
_PAGES = (
    "try",
    "collections",
    f"collections/{COLLECTION}",
    "review",
    "video",
    "in-force",
    "in-force/ledger",
    "in-force/health",
    "people",
)
_PAINTED = """new Promise((done) => {
    const painted = () => performance.getEntriesByName("first-contentful-paint")[0];
    if (painted()) return done(painted().startTime);
    new PerformanceObserver((list, observer) => {
        if (!painted()) return;
        observer.disconnect();
        done(painted().startTime);
    }).observe({type: "paint", buffered: true});
})"""
"""Comes to the milliseconds from the start of the navigation to the first content."""


def _measure(full: bool) -> Measurement:
    """Open each page some times, and give the median of the slowest."""
    references = _REFERENCES if full else _FEW
    with serve(references) as server, _browser() as browser:
        page = _signed_in(browser, server)
        found = {path: _median_ms(page, f"{server.url}/console/{path}") for path in _PAGES}
    slowest = max(found, key=lambda path: found[path])
    beside = tuple(
        Beside(f"console-first-paint-{path.replace('/', '-')}", ms, "ms", "median")
        for path, ms in found.items()
    )
    return Measurement(
        found[slowest],
        f"the slowest of {len(found)} pages, {slowest}, with {references:,} faces in its"
        f" collection; median of {_TIMES}, Chromium on loopback",
        beside,
    )


FIGURES = (Figure("console-first-paint", "ms", at_most(300), _measure),)


@contextmanager
def _browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        raise NotMeasured("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


def _signed_in(browser: Browser, server: Server) -> Page:
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.goto(f"{server.url}/console/sign-in?next=/console/account")
    page.fill("#name", server.key[0])
    page.fill("#secret", server.key[1])
    page.click("main button")
    page.wait_for_url(f"{server.url}/console/account")
    return page


def _median_ms(page: Page, url: str) -> float:
    """Open a page once to warm up, and then so many times."""
    found = []
    for _ in range(_TIMES + 1):
        answer = page.goto(url)
        if answer is None or answer.status != 200:
            raise NotMeasured(f"{url} was not shown: look at the server's log")
        found.append(float(page.evaluate(_PAINTED)))
    return statistics.median(found[1:])
