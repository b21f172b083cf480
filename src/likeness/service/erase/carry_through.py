"""Carry an erasure through once its rows are gone; what fails is done at the next opportunity."""

import logging
from collections.abc import Sequence

from likeness.errors import LikenessError
from likeness.gallery import Erasure, Gallery

_logger = logging.getLogger(__name__)


def carry_through(gallery: Gallery, begun: Sequence[Erasure]) -> None:
    """Take what was erased from everywhere else.

    Whoever asked for it is not told of a failure: no answer holds it any more, asking again would
    find nothing, and the next erasure, sweep or start does the rest.
    """
    try:
        gallery.erasing.finish(begun)
    except LikenessError as error:
        _logger.warning("erasures stay to be finished: %s", error)
