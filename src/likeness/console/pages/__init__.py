"""All pages, family by family."""

from likeness.console.pages.account import account
from likeness.console.pages.collections import COLLECTIONS
from likeness.console.pages.in_force import IN_FORCE
from likeness.console.pages.people import people
from likeness.console.pages.review import REVIEW
from likeness.console.pages.sign_in import sign_in
from likeness.console.pages.subjects import SUBJECTS
from likeness.console.pages.tour import tour
from likeness.console.pages.try_out import try_out
from likeness.console.pages.video import VIDEO
from likeness.console.router import Router

ROUTER = Router(
    sign_in,
    account,
    try_out,
    tour,
    *COLLECTIONS,
    *SUBJECTS,
    *IN_FORCE,
    *REVIEW,
    *VIDEO,
    people,
)
"""Finds the page of a path."""
