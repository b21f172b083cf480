"""What is in force, in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.terms import Role
from tests.console.browsing import NARROW, Visitor
from tests.console.conftest import Pages
from tests.console.test_in_force import a_receipt

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROOT = "/console/in-force"


def test_an_admin_stops_an_organisation_and_lets_it_go_on(
    visit: Callable[..., Visitor], screenshots: Path
) -> None:
    visitor = visit(ROOT)
    page = visitor.page
    page.fill("#subject", "An organisation")
    page.fill("#reason", "complaint of 3 May")
    page.click("button.danger")
    lift = page.get_by_role("button", name="Let it go on Organisation An organisation")
    lift.wait_for()
    assert visitor.look(screenshots, "in-force") == []
    lift.click()
    page.get_by_text("Goes on: Organisation An organisation.").wait_for()
    page.select_option("#scope", "all")
    page.fill("#subject", "")
    page.fill("#reason", "a drill")
    page.click("button.danger")
    page.get_by_role("heading", name="Stop everything?").wait_for()
    assert page.input_value("#reason") == "a drill"
    assert visitor.look(screenshots, "everything") == []
    page.get_by_role("link", name="Stop nothing").click()
    page.wait_for_url(f"{visitor.url}{ROOT}")


def test_receipts_are_checked_by_dropping_them_on_the_page(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    visitor, receipt = visit(f"{ROOT}/receipts", Role.AUDITOR), a_receipt(pages)
    page = visitor.page
    texts = [receipt, receipt.replace("CreateAccessKey", "DeleteEverything")]
    dropped = page.evaluate_handle(
        """texts => {
            const data = new DataTransfer();
            texts.forEach((text, n) => data.items.add(new File([text], `receipt ${n}.json`)));
            return data;
        }""",
        texts,
    )
    page.dispatch_event("main", "drop", {"dataTransfer": dropped})
    page.get_by_text("It holds.").wait_for()
    page.get_by_text("It proves nothing.").wait_for()
    assert visitor.look(screenshots, "receipts") == []


def test_entries_are_read_without_scrolling_sideways_where_it_is_narrow(
    visit: Callable[..., Visitor], pages: Pages
) -> None:
    for _ in range(5):
        a_receipt(pages)
    visitor = visit(f"{ROOT}/ledger", Role.AUDITOR)
    visitor.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert visitor.faults() == []
    heights = visitor.page.evaluate(
        "[...document.querySelectorAll('.entries tbody tr')].map((one) => one.offsetHeight)"
    )
    assert sorted(heights)[len(heights) // 2] < 110


def test_every_page_of_it_is_for_everybody(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    a_receipt(pages)
    visitor = visit(f"{ROOT}/packs/washington-2021", Role.AUDITOR)
    assert visitor.look(screenshots, "pack") == []
    for name in ("ledger", "health", "metrics"):
        visitor.go(f"{ROOT}/{name}")
        assert visitor.look(screenshots, name) == []
    visitor.go(f"{ROOT}/ledger")
    visitor.page.click(".entries a")
    assert visitor.look(screenshots, "entry") == []
    visitor.go(f"{ROOT}/ledger")
    visitor.page.click("text=Verify all entries")
    visitor.page.get_by_text("The ledger holds").wait_for()
    assert visitor.look(screenshots, "verified") == []
