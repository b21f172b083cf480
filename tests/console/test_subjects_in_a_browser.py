"""People are put right in a browser, unnamed faces are named, and what to mend is mended."""

import threading
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from likeness.console.background import Tell
from likeness.service.enrol.check_subjects import Checked, check_subjects
from tests.console.browsing import Visitor
from tests.console.conftest import Pages
from tests.console.test_checks import unnamed
from tests.console.test_subjects import people, sizes
from tests.gallery.galleries import enrol
from tests.service.test_check_subjects import blurred, looks

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_people_are_merged_split_and_made_what_they_were(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    name = people(pages, pages.person(), Ada=[1, 1, 2], Adele=[1], Bo=[3], Cy=[4])
    visitor = visit(f"/console/collections/{name}")
    page = visitor.page
    page.get_by_label("Choose Ada").check()
    page.get_by_label("Choose Adele").check()
    page.get_by_role("button", name="Merge whoever is chosen").click()
    expect(page.get_by_role("heading", name="Merge people")).to_be_visible()
    expect(page.get_by_label("Ada", exact=True)).to_be_checked()
    assert visitor.look(screenshots, "merge") == []
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("1 person was merged into Ada.")
    assert sizes(pages, name) == {"Ada": 4, "Bo": 1, "Cy": 1}
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("status").first).to_contain_text("Undone.")
    assert sizes(pages, name) == {"Ada": 3, "Adele": 1, "Bo": 1, "Cy": 1}

    page.locator(".tickable input").last.check()
    page.select_option("#what", "split")
    page.get_by_label("Name of that person").fill("Bo")
    page.get_by_role("button", name="Give them the faces").click()
    expect(page.locator("#to-wrong")).to_contain_text("Somebody here has that name")
    expect(page.locator(".tickable input").last).to_be_checked()
    assert page.evaluate("document.activeElement.id") == "to"
    assert visitor.look(screenshots, "put-right") == []
    page.select_option("#what", "move")
    page.get_by_role("button", name="Give them the faces").click()
    expect(page.get_by_role("status").first).to_contain_text("1 face is Bo's now.")
    assert sizes(pages, name) == {"Ada": 2, "Adele": 1, "Bo": 2, "Cy": 1}


def test_unnamed_faces_are_named_and_ignored(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    name = people(pages, pages.person(), Ada=[1])
    unnamed(pages, name, *[2] * 8, 1, 3, 3, 4)
    visitor = visit(f"/console/collections/{name}")
    page = visitor.page
    page.get_by_role("link", name="Unnamed faces").click()
    page.get_by_role("button", name="Group the faces").click()
    expect(page.get_by_role("heading", name="8 faces, likely of one person")).to_be_visible()
    assert visitor.look(screenshots, "unnamed") == []
    first = page.locator("main section").first
    first.locator(".tickable input").first.check()
    first.get_by_label("Name", exact=True).fill("Eve")
    first.get_by_role("button", name="This is who it is").click()
    expect(page.get_by_role("status").first).to_contain_text("7 faces are Eve's now.")
    page.get_by_role("button", name="Yes, this is Ada").click()
    expect(page.get_by_role("status").first).to_contain_text("1 face is Ada's now.")
    assert sizes(pages, name) == {"Ada": 2, "Eve": 7}
    page.get_by_role("button", name="Ignore", exact=True).last.click()
    expect(page.get_by_role("heading", name="Ignored faces")).to_be_visible()
    assert visitor.look(screenshots, "unnamed-left") == []


def test_how_far_a_long_look_is_is_told_until_it_is_done(
    visit: Callable[..., Visitor],
    pages: Pages,
    screenshots: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = people(pages, pages.person(), Ada=[1, 1])
    further, ends = threading.Event(), threading.Event()

    def look(*asked: Any, tell: Tell) -> Checked:
        tell(3, 10)
        assert further.wait(60)
        tell(7, 10)
        assert ends.wait(60)
        return check_subjects(*asked, tell=tell)

    page_of_check = import_module("likeness.console.pages.subjects.checking")
    monkeypatch.setattr(page_of_check, "check_subjects", look)
    visitor = visit(f"/console/collections/{name}/check")
    page = visitor.page
    try:
        page.get_by_role("button", name="Look through the collection").click()
        expect(page.get_by_text("3 of 10 done.")).to_be_visible()
        assert visitor.look(screenshots, "check-waiting") == []
        further.set()
        expect(page.get_by_text("7 of 10 done.")).to_be_visible()
    finally:
        further.set()
        ends.set()
    expect(page.get_by_role("heading", name="Result")).to_be_visible()


def test_what_there_is_to_mend_is_mended(
    visit: Callable[..., Visitor], pages: Pages, screenshots: Path
) -> None:
    name = people(pages, pages.person(), Ada=[1, 1], Adele=[1, 1], Bo=[2, 2, 3, 2])
    enrol(pages.home.gallery, name, [replace(looks(pages.home, 9, "Di"), face=blurred())])
    visitor = visit(f"/console/collections/{name}")
    page = visitor.page
    page.get_by_role("link", name="Does it work here?").click()
    assert visitor.look(screenshots, "check-begin") == []
    page.get_by_role("button", name="Look through the collection").click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    assert visitor.look(screenshots, "check") == []
    page.get_by_role("link", name="Ada and Adele").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("merged into")
    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text("merged or erased already")
    visitor.go(f"/console/collections/{name}/check")
    page.get_by_role("link", name="Bo").click()
    expect(page.locator(".tickable input:checked")).to_have_count(1)
    page.get_by_label("Name of that person").fill("Cy")
    page.get_by_role("button", name="Give them the faces").click()
    expect(page.get_by_role("status").first).to_contain_text("1 face is Cy's now, who is new.")
    visitor.go(f"/console/collections/{name}/check")
    expect(page.get_by_role("heading", name="People whom searches may miss")).to_be_visible()
    expect(page.get_by_role("heading", name="People who look like one person")).to_have_count(0)
