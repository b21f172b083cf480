"""Checks that a collection can be compared with what the finder of its model makes of a sample."""

from likeness.errors import Conflict, NotFound
from likeness.gallery import Collection
from likeness.vision.find import FaceFinder


def require_comparable(collection: Collection, finder: FaceFinder) -> None:
    """Refuse a collection whose cohort is not to be had, before a sample is looked at.

    Raises:
        Conflict: it is not.
    """
    if collection.cohort_version == finder.cohort_version:
        return
    try:
        collection.cohort()
    except NotFound as error:
        raise Conflict(
            f"The cohort {collection.cohort_version} that evens collection {collection.id} out is"
            " gone: `likeness collections cohort NAME` takes that of its model."
        ) from error
