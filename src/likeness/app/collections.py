"""Makes, lists and checks the collections of a home."""

from datetime import UTC, datetime

from likeness.app.access import Rows
from likeness.app.finders import model_of
from likeness.app.on_record import on_record
from likeness.gallery import Collection
from likeness.service.enrol import create_collection as act
from likeness.service.uses.home import TemplatesOf
from likeness.terms import Action, Calibration


def create_collection(
    rows: Rows, name: str, retention_days: int | None, recogniser: str | None = None
) -> Collection:
    """Make an empty collection, which keeps its model; `recogniser` is the settings' without.

    Raises:
        InvalidRequest: the name cannot be kept, or the retention is no number of days.
        AlreadyExists: there is one of that name.
        NotFound: there is no such recogniser, or its model has no cohort.
        Denied: policy forbids it.
    """
    installation = rows.installation
    model = installation.template_model(recogniser)
    cohort = installation.standards.cohort(model.name)
    templates = TemplatesOf(model.name, model.dimensions, cohort.version)
    with on_record(rows, Action.ARRANGE, "collections create") as record:
        collection = act.create_collection(
            record, rows.collections, name, templates, {}, datetime.now(UTC), retention_days
        )
    remember_choice(rows, collection)
    return collection


def remember_choice(rows: Rows, collection: Collection) -> None:
    """Remember that a collection's model was chosen: whoever chose need not be told of a better."""
    better = better_recogniser(rows, collection)
    if better is not None:
        collection.remember_told_of(better)


def better_recogniser(rows: Rows, collection: Collection) -> str | None:
    """Name the recogniser that new collections take, where it is better than a collection's.

    It is where it is known to miss fewer pairs of one person; of recognisers that nobody measured
    none is called better.
    """
    installation = rows.installation
    best, theirs = installation.recogniser, installation.known_model(collection.model)
    if theirs is None or best.lfw_fnmr is None or theirs.recogniser.lfw_fnmr is None:
        return None
    return best.name if best.lfw_fnmr < theirs.recogniser.lfw_fnmr else None


def calibration_of(rows: Rows, collection: Collection) -> Calibration:
    """Find what the scores of a collection's searches mean.

    Raises:
        NotFound: nobody has measured that.
    """
    kept = collection.kept_cohort()
    if kept is not None:
        return kept.calibration
    return rows.installation.standards.calibration(collection.model, collection.cohort_version)


def own_strangers_of(collection: Collection) -> Calibration | None:
    """Find what scores mean among a collection's own strangers; None where nobody measured that."""
    measured = collection.measured()
    return None if measured is None else measured.own


def require_comparable(rows: Rows, collection: Collection) -> None:
    """Refuse a collection that nothing made here could be compared with; no network is loaded.

    Raises:
        Conflict: its model is not known here.
        NotFound: its model has no cohort.
    """
    installation = rows.installation
    model_of(installation, collection)
    rows.adopt_cohort(collection)
    if collection.kept_cohort() is None:
        present = rows.collections.collection(collection.name)
        installation.standards.cohort_of(present.model, present.cohort_version)
