"""Pages that all have in common, in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.browsing import Visitor, visiting
from tests.console.conftest import Pages

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_signing_in_is_for_everybody(browser: Browser, pages: Pages, screenshots: Path) -> None:
    with visiting(browser, pages.url) as visitor:
        visitor.go("/console/")
        assert visitor.look(screenshots, "sign-in") == []
        visitor.page.keyboard.type("nobody")
        visitor.page.keyboard.press("Tab")
        visitor.page.keyboard.type("a guess")
        visitor.page.keyboard.press("Enter")
        visitor.page.wait_for_selector("#problem")
        assert visitor.page.evaluate("document.activeElement.id") == "problem"


def test_an_account_is_for_everybody(visit: Callable[..., Visitor], screenshots: Path) -> None:
    assert visit("/console/account").look(screenshots, "account") == []
