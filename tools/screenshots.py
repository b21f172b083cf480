"""Takes the screenshots of docs/console.md: pages that show no photograph of any person.

    python -m tools.screenshots              # all of them
    python -m tools.screenshots ledger       # one

The server's networks see discs of a colour where others see faces.
"""

import argparse
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from likeness.access import Grant
from likeness.errors import required
from likeness.service.govern.keys import create_key
from likeness.service.uses import Caller
from likeness.terms import Principal, Role
from tests.cli.conftest import ship_standards
from tests.console.browsing import Visitor, visiting
from tests.console.cases import NEARLY_RED, Desk, path_of, reviewing
from tests.console.filming import employ, film
from tests.rekognition.operations.discs import BLUE, RED, beside, disc
from tests.reports.browser import find_chromium

_FOLDER = Path(__file__).parents[1] / "docs" / "console"
_WIDTH, _TALLEST = 1100, 1000
_WIDE = {"review": 1600, "video": 1600}
_COLOURS = 128
_JOB_MS = 60_000
_STAFF = "Colours"
_PEOPLE = {"Rosa": RED, "Emerald": (40, 200, 60), "Azure": BLUE, "Amber": (230, 180, 30)}


@dataclass
class Studio:
    """A server with people, uses and cases, and whoever looks at its pages."""

    desk: Desk
    visitor: Visitor
    folder: Path

    def fill(self) -> None:
        """Have people made of discs, and uses of them on record."""
        client = self.desk.client
        client.create_collection(CollectionId=_STAFF)
        for name, colour in _PEOPLE.items():
            client.create_user(CollectionId=_STAFF, UserId=name)
            answers = [
                client.index_faces(CollectionId=_STAFF, Image={"Bytes": disc(colour, side=side)})
                for side in (96, 120)
            ]
            ids = [one["Face"]["FaceId"] for found in answers for one in found["FaceRecords"]]
            client.associate_faces(CollectionId=_STAFF, UserId=name, FaceIds=ids)
        client.search_faces_by_image(CollectionId=_STAFF, Image={"Bytes": disc(NEARLY_RED)})
        admin = Caller(Principal("local:docs", Role.ADMIN), "CreateAccessKey")
        roles = {"robin": Role.REVIEWER, "sam": Role.OPERATOR, "alex": Role.AUDITOR}
        for name, role in roles.items():
            create_key(self.desk.home, admin, name, Grant(role, "City Archive"))

    def go(self, path: str) -> None:
        """Go to a page."""
        self.visitor.go(f"/console/{path}")

    def sign_in(self) -> None:
        """Nobody is signed in yet."""
        self.visitor.page.context.clear_cookies()
        self.go("sign-in")

    def find(self) -> None:
        """Two faces are found in a picture."""
        self.go("try")
        picture = beside(disc(RED, side=300), disc(BLUE, side=240))
        self._choose("input[name=picture]", "two people.png", "image/png", picture)
        self.visitor.page.click("form.asks button:not([type=button])")
        self.visitor.page.wait_for_selector("#answer h3")
        self.visitor.page.evaluate("document.querySelector('#answer').scrollIntoView()")

    def check(self) -> None:
        """A collection was looked through."""
        self.go(f"collections/{_STAFF}/check")
        self.visitor.page.click("main form button")
        self.visitor.page.wait_for_selector("main h2")

    def review(self) -> None:
        """A candidate is compared, beside whoever was searched for."""
        case = self.desk.open(NEARLY_RED, (190, 60, 60))
        page = self.visitor.page
        self.visitor.go(path_of(case))
        page.check("[name=suitability] >> nth=0")
        page.check("[name=feature-ears] >> nth=0")
        page.click("main form button:not([formaction]):not(.plain)")
        page.wait_for_url(f"**{path_of(case, 1)}")
        page.locator("[data-face=probe] [data-stage]").focus()
        page.keyboard.press("v")
        page.locator("#regions h3").wait_for()
        page.evaluate("scrollTo(0, 0)")

    def video(self) -> None:
        """Somebody of a collection is seen in a clip, and a stranger."""
        employ(self.desk.home, self.folder / "people", "Staff")
        self.go("video")
        page = self.visitor.page
        page.set_input_files("#file", film(self.folder))
        page.select_option("#collection", "Staff")
        page.click("form.send button:not([type=button])")
        page.wait_for_url(re.compile("/console/video/jobs/"))
        page.wait_for_selector(".people", timeout=_JOB_MS)
        page.wait_for_function("document.querySelector('video').readyState >= 1")
        page.locator(".people li.stranger a[data-at]").first.press("Enter")
        player = "document.querySelector('video')"
        self.visitor.until(f"!{player}.seeking && {player}.readyState >= 2")
        page.wait_for_load_state("networkidle")

    def stop(self) -> None:
        """An organisation was stopped."""
        self.go("in-force")
        self.visitor.page.fill("#subject", "City Archive")
        self.visitor.page.fill("#reason", "Complaint of 3 May, until it is looked into")
        self.visitor.page.click("button.danger")
        self.visitor.page.locator(".stopped").wait_for()

    def _choose(self, field: str, name: str, kind: str, content: bytes) -> None:
        file = {"name": name, "mimeType": kind, "buffer": content}
        self.visitor.page.set_input_files(field, file)  # type: ignore[arg-type]


def _at(path: str) -> Callable[[Studio], None]:
    return lambda studio: studio.go(path)


_PAGES: dict[str, Callable[[Studio], None]] = {
    "try": Studio.find,
    "collection": _at(f"collections/{_STAFF}"),
    "check": Studio.check,
    "review": Studio.review,
    "video": Studio.video,
    "in-force": Studio.stop,
    "ledger": _at("in-force/ledger"),
    "people": _at("people"),
    "sign-in": Studio.sign_in,
}
"""What each shows; whoever is signed in is so until the last."""


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one of {', '.join(_PAGES)}")
    names = parser.parse_args().names or list(_PAGES)
    if unknown := set(names) - set(_PAGES):
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    program = required(find_chromium(), "Chromium (apt-get install chromium)")
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        _take(names, browser, Path(folder))
        browser.close()


def _take(names: list[str], browser: Browser, folder: Path) -> None:
    (folder / "shipped").mkdir()
    shipped = ship_standards(folder / "shipped")
    with (
        reviewing(folder / "home", shipped) as desk,
        visiting(browser, desk.pages.url) as visitor,
    ):
        studio = Studio(desk, visitor, folder)
        studio.fill()
        visitor.sign_in(*desk.pages.first_key, "/console/account")
        for name in names:
            width = _WIDE.get(name, _WIDTH)
            height = _TALLEST * width // _WIDTH
            visitor.page.set_viewport_size({"width": width, "height": height})
            _PAGES[name](studio)
            _write(visitor, _FOLDER / f"{name}.png")


def _write(visitor: Visitor, path: Path) -> None:
    """Write what is seen, in few colours, which pages of text lose nothing by."""
    seen = "[innerWidth, Math.min(innerHeight, document.querySelector('main').offsetHeight + 80)]"
    width, height = visitor.page.evaluate(seen)
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    png = visitor.page.screenshot(clip=clip)  # type: ignore[arg-type]
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((_WIDTH, _TALLEST), Image.Resampling.LANCZOS)
    few = picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
