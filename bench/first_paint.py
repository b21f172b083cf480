"""How long the console's pages take to be seen, in a browser on loopback, with many faces.

Every page is opened to which links lead from those that are named here, one of each kind: of a
thousand people the page of one.
"""

import statistics
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.filled_home import COLLECTION
from bench.server import Server, serve
from likeness.console.pages import ROUTER
from tests.reports.browser import find_chromium

_REFERENCES = 1_000_000
_FEW = 10_000
_TIMES = 9
_LISTED = 6
_BEGIN = ("try", "collections", f"collections/{COLLECTION}", "in-force", "in-force/ledger")
_NO_PAGE = ("/sign-in", "/sign-out")
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
_LINKS = "[...document.querySelectorAll('a[href]')].map((link) => link.href)"


def _measure(full: bool) -> Measurement:
    """Open each page some times, and give the median of the slowest."""
    references = _REFERENCES if full else _FEW
    with serve(references) as server, _browser() as browser:
        page = _signed_in(browser, server)
        found = {
            kind: _median_ms(page, f"{server.url}{path}")
            for kind, path in _pages(page, server.url).items()
        }
    slowest, *others = sorted(found, key=lambda kind: -found[kind])
    beside = tuple(
        Beside(f"console-first-paint{kind.replace('/', '-')}", found[kind], "ms", "median")
        for kind in others[:_LISTED]
    )
    return Measurement(
        found[slowest],
        f"the slowest of {len(found)} pages, {slowest}, with {references:,} faces in its"
        f" collection; median of {_TIMES}, Chromium on loopback",
        beside,
    )


FIGURES = (Figure("console-first-paint", "ms", at_most(300), _measure),)


def _pages(page: Page, url: str) -> dict[str, str]:
    """Find a page of each kind, by the path that its kind has in the console."""
    found: dict[str, str] = {}
    left = deque(f"/console/{path}" for path in _BEGIN)
    while left:
        path = left.popleft()
        matched = ROUTER.find("GET", urlsplit(path).path)
        kind = None if matched is None else matched[0].path
        if kind is None or kind in found or kind in _NO_PAGE:
            continue
        answer = page.request.get(f"{url}{path}")
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue  # a file to download
        if answer.status != 200:
            raise NotMeasured(f"{kind} answers {answer.status}: look at the server's log")
        found[kind] = path
        page.goto(f"{url}{path}")
        left += [one.removeprefix(url) for one in page.evaluate(_LINKS) if one.startswith(url)]
    return found


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
        page.goto(url)
        found.append(float(page.evaluate(_PAINTED)))
    return statistics.median(found[1:])
