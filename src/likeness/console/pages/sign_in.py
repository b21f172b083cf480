"""Signing in and out."""

import math
from urllib.parse import urlsplit

from markupsafe import Markup

from likeness.access import may
from likeness.console.browsers import asked, one_way_of_writing
from likeness.console.router import Pages
from likeness.console.visit import ROOT, Page, Redirect, Visit, link
from likeness.service.govern import sign_in as acts
from likeness.service.govern.passwords import list_passwords
from likeness.service.govern.sign_in import Attempt
from likeness.terms import Action

sign_in = Pages()


@sign_in.shows("")
def start(visit: Visit) -> Redirect:
    """Lead somebody to the page that their role begins with."""
    return Redirect(visit.start)


@sign_in.shows("/sign-in", is_open=True)
def show_sign_in(visit: Visit) -> Page | Redirect:
    """Ask who somebody is."""
    if visit.signed_in is not None:
        return Redirect(_next(visit.query.get("next", "")))
    return _page(visit, visit.query.get("next", ""))


@sign_in.does("/sign-in", is_open=True, hashes=True)
def enter(visit: Visit) -> Page | Redirect:
    """Begin a session."""
    form = visit.form
    attempt = Attempt(
        form.text("name"), form.secret("secret"), form.text("secret_code"), visit.address
    )
    answered = acts.sign_in(visit.home, attempt)
    if answered.token is not None:
        if visit.token:
            acts.sign_out(visit.home, visit.token)
        said = _offer_of_password(visit, answered.token)
        return Redirect(_next(form.text("next")), remark=said, token=answered.token)
    wait_s = math.ceil(answered.wait_s)
    said = visit.t("sign_in.wait", count=wait_s) if wait_s else visit.t("sign_in.wrong")
    page = _page(
        visit.with_problem(visit.problem_of(said)), form.text("next"), form.secret("draft")
    )
    return Page(page.template, page.values, 429 if wait_s else 401)


@sign_in.does("/sign-out")
def leave(visit: Visit) -> Redirect:
    """End the session."""
    acts.sign_out(visit.home, visit.token)
    return Redirect(link("sign-in"), token="")


def _offer_of_password(visit: Visit, token: str) -> Markup | None:
    """Tell whoever may give passwords, and has to paste a secret each time, where to get one."""
    who = acts.find_signed_in(visit.home, token)
    if who is None or not may(who.principal.role, Action.GOVERN):
        return None
    if who.key.name in list_passwords(visit.home):
        return None
    return visit.t("sign_in.no_password", link=link("account"))


def _page(visit: Visit, to: str, draft: str = "") -> Page:
    values = {
        "next": to,
        "draft": draft,
        "said": "",
    }
    return Page("sign_in.html", values)


def _next(path: str) -> str:
    """Give a page of ours to go to, whatever an address says."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return link()
    is_ours = parts.path == ROOT or parts.path.startswith(f"{ROOT}/")
    if parts.scheme or parts.netloc or not is_ours or "//" in path or "\\" in path:
        return link()
    return one_way_of_writing(parts.path) + asked(parts.query)
