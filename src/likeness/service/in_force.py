"""May a collection be searched, or enrolled into, with what the settings make templates with?"""

from likeness.errors import Conflict
from likeness.gallery.collections import Collection


def require_model_in_force(collection: Collection, model: str) -> None:
    """Refuse a collection whose templates are of another model than that in force.

    Raises:
        Conflict: they are.
    """
    if collection.model != model:
        raise Conflict(
            f"collection {collection.name!r} was expected to hold templates of {model}, the model"
            f" in force, and holds those of {collection.model}: choose that one again"
            " (LIKENESS_RECOGNISER, LIKENESS_DETECTOR, LIKENESS_CHIPS), or make the templates anew"
            " with `likeness collections re-embed`"
        )


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
