"""The list of collections, and making one."""

from likeness.console.pages.collections.inputs import days_sent
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.service.enrol import collections as acts
from likeness.terms import Action

overview = Pages()


@overview.shows("/collections", Action.READ)
def show_overview(visit: Visit) -> Page:
    """Show which collections there are."""
    listed = acts.list_collections(visit.home, visit.caller("ListCollections"))
    return Page("collections/overview.html", {"collections": listed})


@overview.does("/collections", Action.ARRANGE, again=show_overview)
def make(visit: Visit) -> Redirect:
    """Make an empty collection."""
    with visit.about("days"):
        days = days_sent(visit, "days")
    name = visit.form.text("name")
    with visit.about("name"):
        made = acts.create_collection(
            visit.home, visit.caller("CreateCollection"), name, retention_days=days
        )
    said = visit.t("collections.made", name=made.name)
    return Redirect(link("collections", made.name), said)
