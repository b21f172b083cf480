"""Collections: which there are, who is in them, and how people come in and leave."""

from likeness.console.pages.collections.certificates import certificates
from likeness.console.pages.collections.enrolling import enrolling
from likeness.console.pages.collections.erasing import erasing
from likeness.console.pages.collections.overview import overview
from likeness.console.pages.collections.people import people
from likeness.console.pages.collections.settings import settings

COLLECTIONS = (overview, people, settings, enrolling, erasing, certificates)
"""All pages of collections."""
