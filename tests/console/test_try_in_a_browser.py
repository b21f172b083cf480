"""Trying it out in a browser: pictures dropped, pasted and taken, and answers on the same page."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from likeness.terms import Role
from tests.console.browsing import Visitor, visiting
from tests.console.conftest import PASSWORD, Pages
from tests.console.test_try import enrolled
from tests.rekognition.operations.discs import BLUE, GREEN, RED, beside, disc

pytestmark = [pytest.mark.services, pytest.mark.slow]

_GIVE = """([name, encoded, how]) => {
  const bytes = Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "given.png", {type: "image/png"}));
  const field = document.querySelector(`input[name="${name}"]`).closest("[data-drop]");
  const options = {bubbles: true, cancelable: true};
  if (how === "drop") field.dispatchEvent(new DragEvent("drop", {dataTransfer: data, ...options}));
  else document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, ...options}));
}"""


def give(visitor: Visitor, field: str, picture: bytes, how: str) -> None:
    """Drop a picture on a field, or paste it into the page."""
    visitor.page.evaluate(_GIVE, [field, b64encode(picture).decode(), how])
    visitor.page.wait_for_selector(f"[data-drop]:has(input[name={field}]) [data-previews] img")


def choose(visitor: Visitor, field: str, picture: bytes) -> None:
    """Choose a picture's file."""
    file = {"name": "chosen.png", "mimeType": "image/png", "buffer": picture}
    visitor.page.set_input_files(f"input[name={field}]", file)  # type: ignore[arg-type]


def test_pictures_are_dropped_and_pasted(visit: Callable[..., Visitor], screenshots: Path) -> None:
    visitor = visit("/console/try")
    assert visitor.look(screenshots, "try") == []
    give(visitor, "picture", beside(disc(RED, side=300), disc(BLUE, side=200)), "drop")
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#answer h3:has-text('Face 2')")
    assert visitor.page.evaluate("document.activeElement.id") == "answer"
    # The picture is still chosen, to look at it again.
    assert visitor.page.evaluate("document.querySelector('[name=picture]').files.length") == 1
    told = visitor.page.text_content("#answer pre >> nth=1") or ""
    assert f"endpoint_url='{visitor.url}'" in told
    assert "Path('given.png')" in told
    assert visitor.look(screenshots, "try-found") == []
    give(visitor, "picture", disc(GREEN), "paste")
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#answer .answer:has-text('1 face.')")
    # Too much is not sent, and nothing that was chosen is lost.
    choose(visitor, "picture", disc(RED) + bytes(25 << 20))
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("[data-unsent]:has-text('24 MB')")
    assert visitor.page.evaluate("document.querySelector('[name=picture]').files.length") == 1
    assert visitor.complaints == []


def test_whose_session_is_over_is_shown_as_signed_out(visit: Callable[..., Visitor]) -> None:
    visitor = visit("/console/try")
    choose(visitor, "picture", disc(RED))
    visitor.page.context.clear_cookies()
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#secret")
    assert not visitor.page.is_visible("nav")
    assert not visitor.page.is_visible("text=Sign out")


def test_two_pictures_are_compared(visit: Callable[..., Visitor], screenshots: Path) -> None:
    visitor = visit("/console/try/compare")
    choose(visitor, "first", disc(RED, side=300))
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#second-wrong")
    assert visitor.page.evaluate("document.activeElement.id") == "second"
    assert visitor.look(screenshots, "try-compare-wrong") == []
    choose(visitor, "second", beside(disc((200, 60, 50), side=200), disc(BLUE, side=180)))
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#answer :text('Likely the same person')")
    assert visitor.look(screenshots, "try-compared") == []


def test_somebody_before_the_camera_is_searched_for(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    name = enrolled(pages, Ann=disc(RED), Bob=disc(BLUE))
    visitor = visit("/console/try/search")
    visitor.choose("#collection", name)
    visitor.page.click("[data-camera-start]")
    visitor.page.wait_for_selector("[data-camera-take]")
    assert visitor.faults() == []
    visitor.page.click("[data-camera-take]")
    visitor.page.wait_for_selector("[data-previews] img")
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#answer")
    choose(visitor, "picture", disc(RED, side=300))
    visitor.page.click("form.asks button:not([type=button])")
    visitor.page.wait_for_selector("#answer :text('Likely Ann')")
    visitor.page.click("#answer summary:has-text('JSON')")
    assert visitor.page.is_visible("#answer pre >> nth=0")
    assert visitor.look(screenshots, "try-searched") == []


def test_without_scripts_pictures_are_looked_at_too(browser: Browser, pages: Pages) -> None:
    with visiting(browser, pages.url, java_script_enabled=False) as visitor:
        visitor.sign_in(pages.make(Role.OPERATOR), PASSWORD, "/console/try")
        assert not visitor.page.is_visible("[data-camera-start]")
        choose(visitor, "picture", disc(RED, side=300))
        visitor.page.click("form.asks button:not([type=button])")
        visitor.page.wait_for_selector("#answer h3:has-text('Face 1')")


def test_the_tour_is_for_everybody(visit: Callable[..., Visitor], screenshots: Path) -> None:
    assert visit("/console/tour").look(screenshots, "tour") == []
