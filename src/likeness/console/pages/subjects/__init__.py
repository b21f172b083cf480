"""Putting right who the people of a collection are, and checking that it works."""

from likeness.console.pages.subjects.arranging import arranging
from likeness.console.pages.subjects.checking import checking
from likeness.console.pages.subjects.unnamed import unnamed

SUBJECTS = (arranging, unnamed, checking)
"""All pages of subjects."""
