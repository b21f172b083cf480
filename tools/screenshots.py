"""Takes the screenshots of docs/console.md: pages that show no photograph of any person.

    python -m tools.screenshots              # all of them
    python -m tools.screenshots ledger       # one

The server's networks see discs of a colour where others see faces.
"""

import argparse
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from likeness.access import Grant
from likeness.app.serving import Serving
from likeness.errors import required
from likeness.service.govern.keys import create_key
from likeness.service.uses import Caller
from likeness.terms import Principal, Role
from tests.cli.conftest import ship_standards
from tests.console.browsing import Visitor, visiting
from tests.rekognition.conftest import Running, serving_discs
from tests.rekognition.operations.discs import disc
from tests.reports.browser import find_chromium

_FOLDER = Path(__file__).parents[1] / "docs" / "console"
_SIZE = {"width": 1100, "height": 800}
_COLOURS = 96
_PEOPLE = {
    "Crimson": (220, 40, 40),
    "Emerald": (40, 200, 60),
    "Azure": (50, 70, 230),
    "Amber": (230, 180, 30),
}


def _stopped(visitor: Visitor) -> None:
    visitor.go("/console/in-force")
    visitor.page.fill("#subject", "Harbour Lights Casino")
    visitor.page.fill("#reason", "Complaint of 3 May, until it is looked into")
    visitor.page.click("button.danger")
    visitor.page.locator(".stopped").wait_for()


def _at(path: str) -> Callable[[Visitor], None]:
    return lambda visitor: visitor.go(f"/console/{path}")


_PAGES: dict[str, Callable[[Visitor], None]] = {
    "collections": _at("collections"),
    "collection": _at("collections/colours"),
    "check": _at("collections/colours/check"),
    "in-force": _stopped,
    "ledger": _at("in-force/ledger"),
    "health": _at("in-force/health"),
    "people": _at("people"),
}


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
        home, shipped = Path(folder) / "home", Path(folder) / "shipped"
        shipped.mkdir()
        with serving_discs(home, ship_standards(shipped)) as (running, serving):
            _fill(running, serving)
            browser = playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            with visiting(browser, running.url) as visitor:
                visitor.page.set_viewport_size(_SIZE)  # type: ignore[arg-type]
                visitor.sign_in(running.access_key_id, running.secret, "/console/account")
                for name in names:
                    _PAGES[name](visitor)
                    _write(visitor.page.screenshot(), _FOLDER / f"{name}.png")
            browser.close()


def _fill(running: Running, serving: Serving) -> None:
    """Have people made of discs, and uses of them on record."""
    client = running.client()
    client.create_collection(CollectionId="colours")
    for name, colour in _PEOPLE.items():
        client.create_user(CollectionId="colours", UserId=name)
        shown = [disc(colour, side=side) for side in (96, 120)]
        faces = [
            client.index_faces(CollectionId="colours", Image={"Bytes": one})["FaceRecords"]
            for one in shown
        ]
        ids = [one["Face"]["FaceId"] for found in faces for one in found]
        client.associate_faces(CollectionId="colours", UserId=name, FaceIds=ids)
    client.search_faces_by_image(CollectionId="colours", Image={"Bytes": disc((210, 50, 45))})
    admin = Caller(Principal("local:docs", Role.ADMIN), "CreateAccessKey")
    for name, role in (("robin", Role.REVIEWER), ("sam", Role.REVIEWER), ("alex", Role.AUDITOR)):
        create_key(serving.home, admin, name, Grant(role, "City Archive"))


def _write(png: bytes, path: Path) -> None:
    """Write a picture in few colours, which screens of text lose nothing by."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
