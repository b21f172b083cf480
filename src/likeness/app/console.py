"""What pages take from files that were fetched: htmx, and photographs for a tour."""

import logging

from likeness.artifacts import PinnedFile, Sources, catalogue, find
from likeness.console.visit import Offered, Sample
from likeness.errors import LikenessError
from likeness.rekognition.backend import Backend
from likeness.service.video.uploads import Uploads

_logger = logging.getLogger(__name__)
_NAMES = {
    catalogue.OBAMA: "Barack Obama",
    catalogue.OBAMA_2: "Barack Obama, another photograph",
    catalogue.BIDEN: "Joe Biden",
    catalogue.ASTRONAUT: "Eileen Collins",
}


def offered_to_pages(backend: Backend, uploads: Uploads, sources: Sources) -> Offered:
    """Put together what pages work with; files that were never fetched are left out."""
    found = ((name, _content(pinned, sources)) for pinned, name in _NAMES.items())
    samples = tuple(Sample(name, content) for name, content in found if content is not None)
    return Offered(backend, backend.buckets, uploads, samples, _content(catalogue.HTMX, sources))


def _content(pinned: PinnedFile, sources: Sources) -> bytes | None:
    try:
        path = find(pinned, sources)
        return None if path is None else path.read_bytes()
    except (LikenessError, OSError):
        _logger.warning("%s cannot be used; pages do without", pinned.name)
        return None
