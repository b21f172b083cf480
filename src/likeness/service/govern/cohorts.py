"""Lets collections of an older Likeness go by the present cohorts, on record."""

from contextlib import suppress

from sqlalchemy import Connection

from likeness.errors import KeyUnusable, ModelTampered, NotFound
from likeness.gallery import Collection
from likeness.service.uses import Outcome, Rows
from likeness.terms import Action, Use
from likeness.vision.cohorts.cohort import METHOD


def even_older_scores_out(rows: Rows) -> None:
    """Let collections whose scores meant something else go by the present cohorts.

    Rows open whatever is wrong with one collection; whoever uses that is told.
    """
    for collection in rows.collections.collections():
        if not collection.cohort_version.startswith(METHOD):
            with suppress(KeyUnusable, ModelTampered):
                adopt_cohort(rows, collection)


def adopt_cohort(rows: Rows, collection: Collection) -> bool:
    """Let the cohort of its model even a collection out, where its own is gone.

    So it goes with collections of an older Likeness, and when an operator's cohort is replaced.
    Scores are computed anew from the templates. Says whether anything changed.
    """
    standards = rows.standards
    try:
        version = standards.cohort(collection.model).version
    except NotFound:
        return False  # whoever uses it is told
    try:
        standards.cohort_of(collection.model, collection.cohort_version)
        return False
    except NotFound:
        if collection.kept_cohort() is not None:
            return False

    def adopt(connection: Connection) -> None:
        collection.within(connection).adopt_cohort(version)

    with rows.desk.record(
        Use(rows.somebody, Action.GOVERN, "AdoptCohort", collection.id)
    ) as record:
        record.write(adopt, lambda _: Outcome(details={"cohort": version}))
    return True
