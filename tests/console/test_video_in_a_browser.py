"""Video in a browser: a clip is sent, the timeline moves its player, sightings come as they are."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from likeness.policy import shipped
from likeness.service.govern.policy import disable_pack, enable_pack
from likeness.service.live.sources import NewSource, add_source
from likeness.service.uses import Caller
from likeness.terms import Principal, Role
from tests.console.browsing import Visitor
from tests.console.conftest import Pages
from tests.console.filming import employ, film
from tests.service.live.watching import settle

pytestmark = [pytest.mark.services, pytest.mark.slow]

_PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def staff(pages: Pages, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A collection that knows Rosa, who is red."""
    employ(pages.home, tmp_path_factory.mktemp("people"), "staff-in-a-browser")
    return "staff-in-a-browser"


def test_somebody_is_found_in_a_clip_and_looked_at(
    visit: Callable[..., Visitor], clip: Path, staff: str, screenshots: Path
) -> None:
    visitor = visit("/console/video", Role.OPERATOR)
    page = visitor.page
    assert visitor.look(screenshots, "video") == []
    page.set_input_files("#file", clip)
    page.select_option("#collection", staff)
    page.click("form.send button:not([type=button])")
    page.wait_for_url(re.compile("/console/video/jobs/"))
    page.wait_for_selector(".people", timeout=_PATIENCE_MS)
    visitor.until("document.querySelector('video').readyState >= 1")
    assert "Rosa" in page.inner_text(".people li.known")
    assert "Stranger 1" in page.inner_text(".people li.stranger")
    link = page.locator(".people li.stranger a[data-at]").first
    at_s = float(link.get_attribute("data-at") or "")
    link.press("Enter")
    visitor.until(f"Math.abs(document.querySelector('video').currentTime - {at_s}) < 0.1")
    visitor.until("!document.querySelector('video').seeking")
    assert visitor.look(screenshots, "video-timeline") == []
    line = page.locator(".people li.known .line")
    box = line.bounding_box()
    assert box is not None
    line.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    visitor.until("Math.abs(document.querySelector('video').currentTime - 1.45) < 0.3")
    visitor.go("/console/video")
    assert visitor.look(screenshots, "video-jobs") == []


def test_a_copy_is_made_and_looked_at(
    visit: Callable[..., Visitor], clip: Path, screenshots: Path
) -> None:
    visitor = visit("/console/video", Role.OPERATOR)
    page = visitor.page
    page.set_input_files("#file", clip)
    page.select_option("#act", "redact-faces")
    page.click("form.send button:not([type=button])")
    page.wait_for_selector("text=The copy", timeout=_PATIENCE_MS)
    visitor.until("document.querySelector('video').readyState >= 1")
    visitor.go(f"{page.url.removeprefix(visitor.url)}?at=1.5")
    visitor.until("[...document.images].every((one) => one.complete && one.naturalWidth)")
    assert visitor.look(screenshots, "video-copy") == []


def test_what_cannot_be_sent_is_said_on_the_page(
    visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    visitor = visit("/console/video", Role.OPERATOR)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    visitor.page.set_input_files("#file", empty)
    visitor.page.click("form.send button:not([type=button])")
    visitor.page.wait_for_selector("text=No clip is chosen")


@pytest.fixture
def gate(pages: Pages, tmp_path: Path) -> Iterator[str]:
    """A source that shows Rosa and a stranger, while live searches are allowed."""
    caller = Caller(Principal("local:tests", Role.ADMIN), "test")
    address = film(tmp_path, 5.0)
    source = NewSource(name="gate-in-a-browser", address=address, place="the north gate")
    add_source(pages.home, caller, source)
    disable_pack(pages.home, caller, "real-time")
    settle()
    yield source.name
    enable_pack(pages.home, caller, shipped()["real-time"], {})


def test_sightings_come_as_they_are_told(
    visit: Callable[..., Visitor], gate: str, staff: str, screenshots: Path
) -> None:
    visitor = visit("/console/video/live", Role.ADMIN)
    page = visitor.page
    page.select_option("#source", gate)
    page.select_option("#collection", staff)
    page.fill("#authority", "the head of security")
    page.fill("#criteria", "staff who agreed")
    assert visitor.look(screenshots, "video-live") == []
    page.click("main form button:has-text('Begin')")
    page.wait_for_selector(".told li.seen", timeout=_PATIENCE_MS)
    assert "is Rosa." in page.inner_text(".told")
    page.wait_for_selector(".told li.stranger", timeout=_PATIENCE_MS)
    page.wait_for_selector("text=The search has ended.", timeout=_PATIENCE_MS)
    assert visitor.look(screenshots, "video-sightings") == []
    visitor.go("/console/video/sources")
    assert visitor.look(screenshots, "video-sources") == []
