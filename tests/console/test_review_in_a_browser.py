"""Review in a browser: whole by keyboard, with zoom, blinking and what counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from likeness.terms import Role
from tests.cli.conftest import ship_standards
from tests.console.browsing import Visitor, visiting
from tests.console.cases import NEARLY_RED, Desk, path_of, reviewing
from tests.console.conftest import PASSWORD
from tests.rekognition.operations.discs import GREEN, RED

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server that keeps pictures of faces."""
    shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    with reviewing(tmp_path_factory.mktemp("home"), shipped) as desk:
        yield desk


@pytest.fixture
def reviewer(browser: Browser, desk: Desk) -> Iterator[Visitor]:
    """A reviewer at the queue."""
    with visiting(browser, desk.pages.url) as visitor:
        visitor.sign_in(desk.pages.make(Role.REVIEWER), PASSWORD, "/console/review")
        yield visitor


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as somebody without a mouse does."""
    for _ in range(120):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {selector}")


def transform_of(page: Page, face: str) -> str:
    """How a face is zoomed and moved."""
    return str(
        page.evaluate(
            "(face) => document.querySelector(`[data-face=${face}] .moved`).style.transform", face
        )
    )


def test_a_case_is_decided_by_keyboard_alone(
    reviewer: Visitor, desk: Desk, screenshots: Path
) -> None:
    page, case = reviewer.page, desk.open(RED, NEARLY_RED, reviews=2, separately=True)
    page.reload()
    assert reviewer.look(screenshots, "review") == []
    tab_to(page, f"a[href='{path_of(case)}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path_of(case)}")
    assert reviewer.look(screenshots, "review-probe") == []
    tab_to(page, "[name=suitability]")
    page.keyboard.press("Space")
    tab_to(page, "[name=feature-ears]")
    page.keyboard.press("Space")
    tab_to(page, "#remark")
    page.keyboard.type("a notch in the left ear")
    tab_to(page, "main form button:not([formaction]):not(.plain)")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path_of(case, 1)}")

    tab_to(page, "[data-stage]")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    assert "scale(1.25)" in transform_of(page, "probe")
    assert transform_of(page, "probe") == transform_of(page, "candidate")
    page.keyboard.press("0")
    page.keyboard.press("f")
    expect(page.locator(".over")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator("#blink")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("b")
    expect(page.locator(".over")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.locator("[data-face=probe] .as-kept")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("2 b or not 2 b: the notch")
    page.keyboard.press("Tab")
    page.keyboard.press("v")
    expect(page.locator("#regions h3")).to_be_visible()
    expect(page.locator("#reason")).to_have_value("2 b or not 2 b: the notch")
    expect(page.locator("[data-face=candidate] .regions")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    assert reviewer.look(screenshots, "review-pair") == []
    tab_to(page, "[name=feature-ears]")
    page.keyboard.press("Space")
    page.keyboard.press("2")
    expect(page.locator("[name=support][value=same]")).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**{path_of(case, 2)}")
    assert desk.standings(case) == ["open", "open"]
    expect(page.locator(".notice")).to_contain_text("candidate 1")


def test_keys_can_be_switched_off_and_stay_so(reviewer: Visitor, desk: Desk) -> None:
    page, case = reviewer.page, desk.open(GREEN, probe=GREEN)
    reviewer.go(path_of(case))
    page.check("[name=suitability][value=poor]")
    page.click("main form button")
    page.wait_for_url(f"**{path_of(case, 1)}")
    page.click("#keys summary")
    page.uncheck("#keys-on")
    page.reload()
    page.locator("[data-face=probe] [data-stage]").focus()
    page.keyboard.press("2")
    page.keyboard.press("+")
    assert "scale(1)" in transform_of(page, "probe")
    expect(page.locator("[name=support][value=same]")).not_to_be_checked()


def test_an_empty_verdict_says_what_is_missing_and_takes_a_key_for_it(
    reviewer: Visitor, desk: Desk
) -> None:
    page, case = reviewer.page, desk.open(GREEN, probe=GREEN)
    reviewer.go(path_of(case))
    page.click("main form button")
    expect(page.locator("#suitability-wrong")).to_contain_text("how well this picture")
    page.check("[name=suitability][value=poor]")
    expect(page.locator("#suitability-wrong")).to_have_count(0)
    page.click("main form button")
    page.wait_for_url(f"**{path_of(case, 1)}")
    page.locator("#reason").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#support")).to_be_focused()
    expect(page.locator("#support-wrong")).to_contain_text("No verdict is chosen.")
    expect(page.locator("#reason-wrong")).to_contain_text("No reason is given.")
    assert reviewer.faults() == []
    page.keyboard.press("2")
    expect(page.locator("[name=support][value=same]")).to_be_checked()
    expect(page.locator("#support-wrong")).to_have_count(0)
    expect(page.locator("#reason")).to_have_value("")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.type("2")
    expect(page.locator("#reason-wrong")).to_have_count(0)
    assert page.url.endswith(path_of(case, 1))
    assert reviewer.complaints == []


def test_a_verdict_that_is_refused_says_where(reviewer: Visitor, desk: Desk) -> None:
    page, case = reviewer.page, desk.open(GREEN, probe=GREEN)
    reviewer.go(path_of(case))
    page.check("[name=suitability][value=poor]")
    page.click("main form button")
    page.wait_for_url(f"**{path_of(case, 1)}")
    page.fill("#reason", "typed <b>before</b>")
    page.click("#verdict button:not([formaction])")
    page.wait_for_selector("#support[aria-invalid=true]")
    assert page.evaluate("document.activeElement.id") == "support"
    assert page.input_value("#reason") == "typed <b>before</b>"
    page.check("[name=support][value=neither]")
    page.click("#verdict button:not([formaction])")
    page.wait_for_url(f"**{path_of(case)}")
    reviewer.go(path_of(case, 1))
    expect(page.locator("#verdict")).to_have_count(0)
    assert reviewer.complaints == []
