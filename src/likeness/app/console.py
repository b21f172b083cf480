"""What pages work with: the home, what they say of the server, photographs for a tour."""

import logging
from functools import partial

from likeness.app.examination import examine, glance
from likeness.app.installation import Installation
from likeness.artifacts import PinnedFile, Sources, catalogue, find
from likeness.console.visit import Offered, Operated, Photograph
from likeness.errors import LikenessError
from likeness.rekognition.backend import Backend
from likeness.server import Metrics
from likeness.service.video.uploads import Uploads

_logger = logging.getLogger(__name__)
_NAMES = {
    catalogue.OBAMA: ("Barack Obama", "Barack Obama"),
    catalogue.OBAMA_2: ("Barack Obama, another photograph", "Barack Obama"),
    catalogue.BIDEN: ("Joe Biden", "Joe Biden"),
    catalogue.ASTRONAUT: ("Eileen Collins", "Eileen Collins"),
}


def offered_to_pages(
    backend: Backend, uploads: Uploads, installation: Installation, metrics: Metrics
) -> Offered:
    """Put together what pages work with; files that were never fetched are left out."""
    sources = installation.sources
    found = ((names, _content(pinned, sources)) for pinned, names in _NAMES.items())
    samples = tuple(Photograph(*names, content) for names, content in found if content is not None)
    operated = Operated(partial(glance, installation), partial(examine, installation), metrics.read)
    return Offered(backend, backend.buckets, uploads, operated, samples)


def _content(pinned: PinnedFile, sources: Sources) -> bytes | None:
    try:
        path = find(pinned, sources)
        return None if path is None else path.read_bytes()
    except (LikenessError, OSError):
        _logger.warning("%s cannot be used; pages do without", pinned.name)
        return None
