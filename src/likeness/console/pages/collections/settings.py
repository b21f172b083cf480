"""What is set of a collection: how long it keeps people, its tags, what rules go by; its end."""

from collections.abc import Iterable

from likeness.console.pages.collections.inputs import days_sent
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest
from likeness.service.enrol import collections as acts
from likeness.service.erase.erase import erase_collection_certified
from likeness.service.uses import declares, known_values
from likeness.terms import UNDECLARED, Action

settings = Pages()


@settings.shows("/collections/{name}/settings", Action.READ)
def show_settings(visit: Visit) -> Page:
    """Show what is set."""
    of = acts.describe_collection(
        visit.home, visit.caller("DescribeCollection"), visit.params["name"]
    )
    tags = of.tags
    values = {
        "of": of,
        "own": {key: value for key, value in tags.items() if not declares({key: value})},
        "declared": {
            key: (tags.get(key, ""), _to_choose(values, tags.get(key)))
            for key, values in known_values().items()
        },
        "unknown": {
            key: value
            for key, value in tags.items()
            if declares({key: value}) and value not in known_values().get(key, ())
        },
    }
    return Page("collections/settings.html", values)


@settings.does("/collections/{name}/settings/retention", Action.ARRANGE, again=show_settings)
def choose_retention(visit: Visit) -> Redirect:
    """Choose how long references are kept."""
    name = visit.params["name"]
    with visit.about("days"):
        days = days_sent(visit, "days")
        acts.choose_retention(visit.home, visit.caller("collections retention"), name, days)
    return _done(visit, "collections.retention_chosen")


@settings.does("/collections/{name}/settings/tags", Action.ARRANGE, again=show_settings)
def tag(visit: Visit) -> Redirect:
    """Give the collection a tag."""
    key, value = visit.form.text("key"), visit.form.text("value")
    with visit.about("key"):
        if declares({key: value}):
            raise InvalidRequest(visit.t("collections.is_declared", key=key))
        acts.tag_collection(
            visit.home, visit.caller("TagResource"), visit.params["name"], {key: value}
        )
    return _done(visit, "collections.tagged")


@settings.does("/collections/{name}/settings/tags/remove", Action.ARRANGE, again=show_settings)
def untag(visit: Visit) -> Redirect:
    """Take a tag from the collection."""
    key = visit.form.secret("tag")
    acts.untag_collection(visit.home, visit.caller("UntagResource"), visit.params["name"], [key])
    return _done(visit, "collections.untagged")


@settings.does("/collections/{name}/settings/declared", Action.GOVERN, again=show_settings)
def declare(visit: Visit) -> Redirect:
    """Declare what rules go by; what is left open is taken away."""
    name, form = visit.params["name"], visit.form
    of = acts.describe_collection(visit.home, visit.caller("DescribeCollection"), name)
    tags = of.tags
    chosen = {key: form.text(key) for key in known_values() if form.has(key)}
    put = {key: value for key, value in chosen.items() if value and value != tags.get(key)}
    gone = [key for key, value in chosen.items() if not value and key in tags]
    if put:
        acts.tag_collection(visit.home, visit.caller("TagResource"), name, put)
    if gone:
        acts.untag_collection(visit.home, visit.caller("UntagResource"), name, gone)
    return _done(visit, "collections.declared")


@settings.does("/collections/{name}/settings/delete", Action.ERASE, again=show_settings)
def delete(visit: Visit) -> Redirect:
    """Erase a collection with all that it holds, once its name is typed."""
    name = visit.params["name"]
    with visit.about("typed"):
        if name not in (visit.form.text("typed"), visit.form.secret("typed")):
            raise InvalidRequest(visit.t("collections.typed_otherwise"))
        certificate = erase_collection_certified(
            visit.home, visit.caller("DeleteCollection"), name, lambda of: None
        )
    said = visit.t("collections.deleted", name=name, id=certificate.id)
    if visit.may(Action.AUDIT):
        return Redirect(link("certificates", certificate.id), said)
    return Redirect(link("collections"), said)


def _to_choose(values: Iterable[str], chosen: str | None) -> list[str]:
    """Give what may be declared; to say that nothing is goes without a tag."""
    return sorted(one for one in values if one != UNDECLARED or one == chosen)


def _done(visit: Visit, key: str) -> Redirect:
    return Redirect(link("collections", visit.params["name"], "settings"), visit.t(key))
