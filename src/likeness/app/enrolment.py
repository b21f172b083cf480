"""Enrolment into a home: what it takes, put together."""

from likeness.app.home import Home
from likeness.app.installation import Workload
from likeness.service.enrol import Demands, Enroller
from likeness.vision.find import FaceFinder


def enroller_of(home: Home, collection: str, finder: FaceFinder, demands: Demands) -> Enroller:
    """Make what enrols many pictures into a collection; raises what `Enroller` raises."""
    return Enroller(
        home.database,
        home.gallery,
        collection,
        finder,
        home.installation.limits,
        demands,
        workers=home.installation.workers(Workload.MANY),
    )
