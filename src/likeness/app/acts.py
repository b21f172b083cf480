"""What acts need of a home that is open, put together from its settings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from likeness.app.access import Rows
from likeness.app.home import Home
from likeness.app.installation import Installation
from likeness.gallery import Collection
from likeness.notify import read_networks
from likeness.service.enrol.review import ReviewOfEnrolments
from likeness.service.uses import TemplatesOf
from likeness.service.uses import home as acts
from likeness.service.watch.watches import WatchInForce
from likeness.terms import Calibration
from likeness.vision.find import FaceFinder

FinderOf = Callable[[Collection | None], FaceFinder]
"""Gives the finder of a collection's model; of new collections' where none is given."""

now = partial(datetime.now, UTC)


def rows_for_acts(rows: Rows, finder_of: FinderOf) -> acts.Rows:
    """Give what acts need that look at rows alone.

    Raises:
        InvalidRequest: `LIKENESS_WEBHOOK_NETWORKS` holds something that is no network.
    """
    return acts.Rows(**_shared(rows, finder_of))


def home_for_acts(home: Home, finder_of: FinderOf) -> acts.Home:
    """Give what acts need of a home with its gallery; raises as `rows_for_acts`."""
    return acts.Home(**home_parts(home, finder_of))


def home_parts(home: Home, finder_of: FinderOf) -> dict[str, Any]:
    """Give the fields of `acts.Home`, for what has more."""
    return {
        **_shared(home, finder_of),
        "gallery": home.gallery,
        "reviewing": _reviewing_of(home),
    }


def calibration_of(rows: Rows, collection: Collection) -> Calibration:
    """Find what the scores of a collection's searches mean.

    Raises:
        NotFound: nobody has measured that.
    """
    kept = collection.kept_cohort()
    if kept is not None:
        return kept.calibration
    return rows.installation.standards.calibration(collection.model, collection.cohort_version)


def _shared(rows: Rows, finder_of: FinderOf) -> dict[str, Any]:
    settings, standards = rows.installation.settings, rows.installation.standards

    # What scores of a model and a cohort mean is read once.
    @lru_cache
    def of_collection(collection: Collection | None) -> Calibration:
        if collection is not None:
            return calibration_of(rows, collection)
        made = _templates_of(rows.installation)
        return standards.calibration(made.model, made.cohort_version)

    return {
        "database": rows.database,
        "keyring": rows.keyring,
        "ledger": rows.ledger,
        "desk": rows.desk,
        "collections": rows.collections,
        "templates_of": partial(_templates_of, rows.installation),
        "adopt_cohort": rows.adopt_cohort,
        "calibration_of": of_collection,
        "finder_of": finder_of,
        "limits": rows.installation.limits,
        "keeps_crops": settings.crops == "on",
        "scores_hidden": settings.review_scores == "hidden",
        "webhook_networks": read_networks(settings.webhook_networks),
        "somebody": rows.somebody,
        "clock": now,
    }


def _templates_of(installation: Installation, recogniser: str | None = None) -> TemplatesOf:
    model = installation.template_model(recogniser)
    version = installation.standards.cohort(model.name).version
    return TemplatesOf(model.name, model.dimensions, version)


def _reviewing_of(home: Home) -> ReviewOfEnrolments:
    settings = home.installation.settings
    return ReviewOfEnrolments(
        home.keyring,
        settings.crops == "on",
        settings.fmr,
        timedelta(days=settings.case_days),
        partial(calibration_of, home),
        WatchInForce(home.keyring, home.rules, home.somebody).owed_of,
        settings.fpir,
    )
