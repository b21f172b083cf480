"""Collections of a home, as the settings in force make, fill and search them."""

from datetime import UTC, datetime
from functools import partial

from likeness.app.access import Rows
from likeness.app.on_record import on_record
from likeness.gallery import collections
from likeness.gallery.collections import Collection, Size
from likeness.service import create_collection as act
from likeness.service.in_force import require_cohort, require_model_in_force
from likeness.terms.calibration import Calibration
from likeness.terms.use import Action


def every_collection(rows: Rows) -> list[Collection]:
    """List all collections by name."""
    return rows.database.read(collections.every)


def collection_named(rows: Rows, name: str) -> Collection:
    """Find a collection.

    Raises:
        NotFound: there is none.
    """
    return rows.database.read(partial(collections.get, name=name))


def size_of(rows: Rows, collection: Collection) -> Size:
    """Count a collection's subjects and references."""
    return rows.database.read(partial(collections.size, collection_id=collection.id))


def create_collection(rows: Rows, name: str, retention_days: int | None) -> Collection:
    """Make an empty collection for the model and the cohort in force.

    Raises:
        InvalidRequest: the name cannot be kept, or the retention is no number of days.
        AlreadyExists: there is one of that name.
        NotFound: the model in force has no cohort.
        Denied: policy forbids it.
    """
    installation = rows.installation
    dimensions = installation.recogniser.dimensions
    assert dimensions is not None  # every recogniser's card has them
    templates = act.TemplatesOf(
        installation.model, dimensions, installation.standards.cohort(installation.model).version
    )
    with on_record(rows, Action.ARRANGE, "collections create") as record:
        return act.create_collection(
            record, rows.keyring, name, templates, {}, datetime.now(UTC), retention_days
        )


def calibration_of(rows: Rows, collection: Collection) -> Calibration:
    """Find what the scores of a collection's searches mean.

    Raises:
        NotFound: nobody has measured that.
    """
    own = rows.own_cohort(collection)
    if own is not None:
        return own.calibration
    return rows.installation.standards.calibration(collection.model, collection.cohort_version)


def require_comparable(rows: Rows, collection: Collection) -> None:
    """Refuse a collection that templates of the settings in force cannot be compared with.

    Raises:
        Conflict: it is of another model or cohort.
        NotFound: the model in force has no cohort.
    """
    installation = rows.installation
    require_model_in_force(collection, installation.model)
    if rows.own_cohort(collection) is None:
        require_cohort(collection, installation.standards.cohort(installation.model).version)
