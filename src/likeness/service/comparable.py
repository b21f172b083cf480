"""May a collection be compared with what a finder makes of a sample?"""

from likeness.gallery.collections import Collection
from likeness.gallery.gallery import Gallery
from likeness.service.in_force import require_cohort, require_model_in_force
from likeness.vision.find import FaceFinder


def require_comparable(gallery: Gallery, collection: Collection, finder: FaceFinder) -> None:
    """Refuse a collection that the finder's templates cannot be compared with.

    Raises:
        Conflict: it is of another model or cohort.
        NotFound: it was erased meanwhile.
    """
    require_model_in_force(collection, finder.model)
    evened_by_ours = collection.cohort_version == finder.cohort_version
    if not evened_by_ours and gallery.own_cohort(collection) is None:
        require_cohort(collection, finder.cohort_version)
