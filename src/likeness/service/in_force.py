"""Checks that a collection is evened out by the cohort that its model has here."""

from likeness.errors import Conflict
from likeness.gallery.collections import Collection


def require_cohort(collection: Collection, version: str) -> None:
    """Refuse a collection, without a cohort of its own, of another one than that in force.

    Raises:
        Conflict: it is.
    """
    if collection.cohort_version != version:
        raise Conflict(
            f"collection {collection.name!r} was expected to be evened out by cohort {version},"
            f" which is in force, and is by {collection.cohort_version}: put that one back, or"
            " run `likeness collections cohort --standard`"
        )
