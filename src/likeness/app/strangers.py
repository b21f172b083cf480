"""Keeps what collections of a home know of their strangers up to date, as the settings want it."""

import logging
from functools import partial

from likeness.app.collections import calibration_of
from likeness.app.home import Home
from likeness.errors import LikenessError, StateError
from likeness.gallery import Gallery
from likeness.service.models.measure_strangers import StrangerUpkeep

_logger = logging.getLogger(__name__)


def strangers_of(home: Home) -> StrangerUpkeep:
    """Make what measures the strangers of a home's collections."""
    return StrangerUpkeep(home.database, home.gallery, partial(calibration_of, home))


def measure_every(gallery: Gallery, upkeep: StrangerUpkeep) -> None:
    """Bring every collection up to date; one that cannot be holds up no other."""
    for collection in gallery.collections():
        try:
            upkeep.bring_up_to_date(collection.name)
        except StateError as error:  # its model or cohort cannot be had, or it was just erased
            _logger.info("%s waits: %s", collection.id, type(error).__name__)
        except LikenessError as error:  # something of it is damaged
            _logger.warning("%s is not measured: %s", collection.id, type(error).__name__)
