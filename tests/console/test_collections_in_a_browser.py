"""Collections in a browser: made, filled from a folder, looked through, and erased from."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.console.browsing import Visitor
from tests.console.collections import AMIR, LIN, PICTURES, ROSA
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, grey

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An album: a folder for each of three people, one picture of nobody, and a hidden file."""
    album = tmp_path / "album"
    for name, colour in ((ROSA, RED), (AMIR, GREEN), (LIN, BLUE)):
        (album / name).mkdir(parents=True)
        for number in range(3):
            path = album / name / f"{number}.png"
            path.write_bytes(disc(colour, side=131 + number))  # nobody else enrols these
    (album / AMIR / "empty street.png").write_bytes(grey(96, 96))
    (album / ".hidden").write_bytes(b"hidden")
    return album


def drop(visitor: Visitor, path: Path) -> None:
    """Drop a file or a folder where pictures go, as somebody does with a mouse."""
    page = visitor.page
    page.locator("#drop").scroll_into_view_if_needed()
    box = page.locator("#drop").bounding_box()
    assert box is not None
    browser = page.context.new_cdp_session(page)
    dropped = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        at = {"x": box["x"] + 20, "y": box["y"] + 20, "data": dropped}
        browser.send("Input.dispatchDragEvent", {"type": kind, **at})


def test_a_folder_is_enrolled_looked_through_and_erased_from(
    visit: Callable[..., Visitor], folder: Path, screenshots: Path
) -> None:
    visitor = visit("/console/collections")
    page = visitor.page
    assert visitor.look(screenshots, "collections") == []
    page.fill("#name", "album")
    page.click("main form button")
    page.get_by_role("link", name="Enrol", exact=True).first.click()
    drop(visitor, folder)
    expect(page.locator("#found-say")).to_have_text("Pictures: 10. People: 3.")
    expect(page.locator("#whose-folder")).to_be_checked()
    page.click("#found summary")
    assert visitor.look(screenshots, "enrol") == []
    page.click("#begin")
    expect(page.locator("#going-say")).to_have_text(
        "Done. Pictures: 10. Enrolled: 9. Already there: 0. Rejected: 1."
    )
    expect(page.locator("#told li")).to_have_count(1)
    expect(page.locator("#told")).to_contain_text("No face found")
    assert visitor.look(screenshots, "enrolled") == []
    page.click("#see")
    page.get_by_role("link", name=ROSA).click()
    assert visitor.look(screenshots, "person") == []
    page.go_back()
    assert visitor.look(screenshots, "people") == []
    page.get_by_label(f"Choose {AMIR}").check()
    page.get_by_label(f"Choose {LIN}").check()
    page.get_by_role("button", name="Erase whoever is chosen").click()
    assert visitor.look(screenshots, "erase") == []
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator(".answer")).to_have_text("Gone: 2 people and 6 references.")
    assert visitor.look(screenshots, "certificate") == []
    page.get_by_role("button", name="Check whether it still holds").click()
    expect(page.get_by_text("It holds: nothing of it is left.")).to_be_visible()
    visitor.go("/console/certificates")
    assert visitor.look(screenshots, "certificates") == []
    visitor.go("/console/collections/album/settings")
    assert visitor.look(screenshots, "settings") == []
    visitor.go("/console/collections/album/references")
    assert visitor.look(screenshots, "references") == []


def test_pictures_that_are_dropped_are_enrolled_also_over_a_session_that_ends(
    visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    visitor = visit("/console/collections")
    page = visitor.page
    page.fill("#name", "dropped")
    page.click("main form button")
    visitor.go("/console/collections/dropped/enrol")
    picture = tmp_path / "x.png"
    picture.write_bytes(PICTURES[ROSA])
    drop(visitor, picture)
    expect(page.locator("#found-say")).to_have_text("Pictures: 1. People: 1.")
    page.click("#begin")
    expect(page.locator("#unsent")).to_contain_text("The person's name is missing")
    page.fill("#subject", ROSA)
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.click("#begin")
    expect(page.locator("#going-problem")).to_contain_text("Your session is over")
    expect(page.locator("#sign-in")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.click("#continue")
    expect(page.locator("#going-say")).to_have_text(
        "Done. Pictures: 1. Enrolled: 1. Already there: 0. Rejected: 0."
    )
