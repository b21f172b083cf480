"""Trying it out: find faces in a picture, compare two, search a collection."""

from likeness.console.router import Pages
from likeness.console.visit import Page, Visit
from likeness.terms import Action

try_out = Pages()


@try_out.shows("/try", Action.DETECT)
def show_try(visit: Visit) -> Page:
    """Show what can be tried."""
    return Page("try.html", {})
