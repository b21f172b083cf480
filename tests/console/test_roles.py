"""Every page and every form is for the roles that may what it does, and for nobody else."""

import re

import pytest

from likeness.access import may
from likeness.console.pages import ROUTER
from likeness.console.router import Route
from likeness.terms import Action, Role
from tests.console.conftest import Pages
from tests.console.people import Person

_EXAMPLES = {":uuid": "00000000-0000-4000-8000-000000000000", ":int": "1", "": "nothing"}
FOR_EVERYBODY = {"/sign-in"}
FOR_WHOEVER_SIGNED_IN = {
    "",
    "/account",
    "/account/password",
    "/account/codes",
    "/account/codes/stop",
    "/in-force/receipts",
    "/in-force/receipts/{id}",
    "/sign-out",
}


def path_of(route: Route) -> str:
    """An address of a page, of something that is not there."""
    return "/console" + re.sub(r"{\w+(:\w+)?}", lambda found: _EXAMPLES[found[1] or ""], route.path)


def csrf_of(person: Person) -> str:
    return dict(person.see("/console/account").form("/console/sign-out").fields)["csrf"]


def test_pages_without_an_action_are_few() -> None:
    assert {route.path for route in ROUTER.routes if route.is_open} == FOR_EVERYBODY
    free = {route.path for route in ROUTER.routes if route.needs is None and not route.is_open}
    assert free == FOR_WHOEVER_SIGNED_IN


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_its_pages_alone(pages: Pages, role: Role) -> None:
    person = pages.person(role)
    csrf = csrf_of(person)
    for route in ROUTER.routes:
        allowed = route.needs is None or may(role, route.needs)
        if route.method == "GET":
            answered = person.client.get(path_of(route), follow_redirects=False)
            assert (answered.status_code != 403) == allowed, route
            assert answered.status_code < 500, route
        elif not allowed:
            answered = person.client.post(path_of(route), data={"csrf": csrf})
            assert answered.status_code == 403, route
            assert f"Your role ({role.value}) does not allow this" in answered.text


def test_no_form_is_done_for_strangers_or_without_its_sessions_mark(pages: Pages) -> None:
    admin, other, stranger = pages.person(), pages.person(), pages.stranger()
    others = csrf_of(other)
    for route in ROUTER.routes:
        if route.method == "GET":
            if not route.is_open:
                answered = stranger.client.get(path_of(route), follow_redirects=False)
                assert answered.status_code == 303, route
                assert answered.headers["location"].startswith("/console/sign-in?next="), route
            continue
        if route.is_open:
            continue
        for csrf in ("", "x", others):
            answered = admin.client.post(path_of(route), data={"csrf": csrf})
            assert answered.status_code == 403, route
        elsewhere = admin.client.post(
            path_of(route),
            data={"csrf": csrf_of(admin)},
            headers={"origin": "https://evil.example"},
        )
        assert elsewhere.status_code == 403, route
        assert stranger.client.post(path_of(route), data={"csrf": "x"}).status_code == 401, route


@pytest.mark.parametrize(
    ("role", "start"),
    [
        (Role.ADMIN, "/console/try"),
        (Role.OPERATOR, "/console/try"),
        (Role.REVIEWER, "/console/review"),
        (Role.AUDITOR, "/console/in-force"),
        (Role.CLIENT, "/console/try"),
    ],
)
def test_a_role_begins_where_it_may_and_is_offered_nothing_else(
    pages: Pages, role: Role, start: str
) -> None:
    person = pages.person(role)
    shown = person.see("/console/")
    assert (shown.path, shown.status) == (start, 200)
    offered = {one for one in shown.links if one.startswith("/console/") and one.count("/") == 2}
    for one in offered - {"/console/account"}:
        assert person.see(one).status == 200
    places = {
        "/console/collections": Action.READ,
        "/console/in-force": Action.AUDIT,
        "/console/people": Action.GOVERN,
    }
    for place, needs in places.items():
        assert (place in offered) == may(role, needs)
