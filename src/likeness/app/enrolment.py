"""Enrolment into a home: what it takes, put together."""

from datetime import timedelta
from functools import partial

from likeness.app.collections import calibration_of
from likeness.app.home import Home
from likeness.app.installation import Workload
from likeness.app.on_record import on_record
from likeness.service.enrol.enrol import Demands, Enroller
from likeness.service.enrol.on_enrolment import ReviewOfEnrolments, StrangersAtHand
from likeness.service.watch.watches import WatchInForce
from likeness.terms import Action
from likeness.vision.find import FaceFinder


def enroller_of(
    home: Home, collection: str, finder: FaceFinder, demands: Demands, operation: str = "enrol"
) -> Enroller:
    """Make what enrols many pictures into a collection; raises what `Enroller` raises.

    `operation` names the command.
    """
    known = home.gallery.collection(collection)
    return Enroller(
        home.database,
        known,
        finder,
        home.installation.limits,
        demands,
        partial(on_record, home, Action.ENROL, operation, known),
        reviewing_of(home),
        workers=home.installation.workers(Workload.MANY),
    )


def reviewing_of(home: Home) -> ReviewOfEnrolments:
    """Make what keeps for review who is enrolled."""
    settings = home.installation.settings
    return ReviewOfEnrolments(
        home.keyring,
        settings.crops == "on",
        settings.fmr,
        timedelta(days=settings.case_days),
        partial(calibration_of, home),
        WatchInForce(home.keyring, home.rules, home.somebody).owed_of,
        StrangersAtHand(settings.fpir),
    )
