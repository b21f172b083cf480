"""Checks that a collection can be compared with what the finder of its model makes of a sample."""

from likeness.gallery.collections import Collection
from likeness.gallery.gallery import Gallery
from likeness.service.in_force import require_cohort
from likeness.vision.find import FaceFinder


def require_comparable(gallery: Gallery, collection: Collection, finder: FaceFinder) -> None:
    """Refuse a collection that the templates of its model's finder cannot be compared with.

    Raises:
        Conflict: it is of another cohort.
        NotFound: it was erased meanwhile.
    """
    evened_by_ours = collection.cohort_version == finder.cohort_version
    if not evened_by_ours and gallery.own_cohort(collection) is None:
        require_cohort(collection, finder.cohort_version)
