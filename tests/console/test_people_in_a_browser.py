"""Adding somebody, who then signs in and changes their password, with scripts and by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from likeness.terms import Role
from tests.console.browsing import Visitor, visiting
from tests.console.conftest import PASSWORD, Pages

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_somebody_is_added_signs_in_and_changes_their_password(
    browser: Browser, pages: Pages, visit: Callable[..., Visitor], screenshots: Path
) -> None:
    admin = visit("/console/people")
    page = admin.page
    assert admin.look(screenshots, "people") == []
    page.fill("#person", "Mina Harker")
    page.select_option("#role", "reviewer")
    page.fill("#jurisdiction", "nowhere")
    page.click("main form[method=post] button")
    page.wait_for_selector("#jurisdiction-wrong")
    assert page.evaluate("document.activeElement.id") == "jurisdiction"
    assert page.input_value("#person") == "Mina Harker"
    assert page.input_value("#role") == "reviewer"
    assert admin.look(screenshots, "people-wrong") == []
    page.fill("#jurisdiction", "GB")
    page.click("main form[method=post] button")
    page.wait_for_selector(".once")
    password = page.text_content(".once dd:nth-of-type(2)")
    assert password is not None
    assert admin.look(screenshots, "person") == []
    page.reload()
    page.wait_for_selector("h1:has-text('Mina Harker')")
    assert password not in page.content()

    with visiting(browser, pages.url) as mina:
        mina.go("/console/")
        for typed in ("Mina Harker", password):
            mina.page.keyboard.type(typed)
            mina.page.keyboard.press("Tab")
        mina.page.keyboard.press("Enter")
        mina.page.wait_for_url(f"{pages.url}/console/review")
        mina.go("/console/account")
        for name, typed in (
            ("secret_present", password),
            ("secret_new", "words that she chose"),
            ("secret_again", "words that she chose"),
        ):
            mina.page.fill(f"#{name}", typed)
        mina.page.click("form[action$='/account/password'] button")
        mina.page.wait_for_selector(".notice")
        assert mina.page.url == f"{pages.url}/console/account"
        assert [*mina.complaints, *mina.outside] == []


def test_who_comes_back_after_signing_out_sees_nothing(
    browser: Browser, pages: Pages, visit: Callable[..., Visitor]
) -> None:
    operator = visit("/console/account", Role.OPERATOR)
    operator.page.click("text=Sign out")
    operator.page.wait_for_url(f"{pages.url}/console/sign-in")
    operator.page.go_back()
    operator.page.wait_for_selector("#secret")
    assert "sign-in" in operator.page.url


def test_a_form_that_is_sent_again_by_reload_is_done_once(
    browser: Browser, pages: Pages, visit: Callable[..., Visitor]
) -> None:
    admin = visit("/console/people")
    name = f"added by {pages.make()}"
    admin.page.fill("#person", name)
    admin.page.click("main form[method=post] button")
    admin.page.wait_for_selector(".once")
    admin.page.go_back()
    admin.page.wait_for_selector("#person")
    admin.page.fill("#person", name)
    admin.page.click("main form[method=post] button")
    admin.page.wait_for_selector("#person-wrong, .once, h1")
    assert pages.person().see("/console/people", find=name).html.count(f">{name}<") == 1


def test_without_scripts_people_sign_in_and_are_told_what_is_wrong(
    browser: Browser, pages: Pages
) -> None:
    with visiting(browser, pages.url, java_script_enabled=False) as visitor:
        name = pages.make()
        visitor.go("/console/account")
        visitor.page.fill("#name", name)
        visitor.page.fill("#secret", "a guess")
        visitor.page.click("main button")
        visitor.page.wait_for_selector("#problem")
        assert visitor.page.input_value("#name") == name
        visitor.page.fill("#secret", PASSWORD)
        visitor.page.click("main button")
        visitor.page.wait_for_url(f"{pages.url}/console/account")
