"""What `likeness identify` searches, made ready: here a collection of the home."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from likeness.app import Installation, Workload
from likeness.app.collections import calibration_of, require_comparable
from likeness.app.on_record import on_record
from likeness.app.strangers import strangers_of
from likeness.cli.collections.finder import finder_of
from likeness.cli.home_alone import home_alone
from likeness.cli.searched import Ready
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.gallery import By
from likeness.service.search.collection_search import CollectionSearch, RecordedSearch
from likeness.service.search.identify import Identifier
from likeness.terms import Action


@contextmanager
def collection_ready(settled: Installation, name: str, by: By) -> Iterator[Ready]:
    """Open the home and a collection; what cannot be searched is said before networks are loaded.

    Raises:
        NotFound: there is no such collection, or nobody has measured what its scores mean.
        Conflict: its model cannot be had here.
    """
    settings = settled.settings
    with home_alone(settled, "ask the server: SearchFacesByImage") as home:
        collection = home.gallery.collection(name)
        require_comparable(home, collection)
        calibration = calibration_of(home, home.gallery.collection(name))
        strangers_of(home).measured(name)
        size = home.gallery.collection(name).size
        searched = CollectionSearch(home.gallery, name, by)
        finder = finder_of(home, collection, Workload.MANY)
        identifier = Identifier(finder, calibration, searched, fmr=settings.fmr, fpir=settings.fpir)
        recorded = partial(on_record, home, Action.SEARCH, "identify", collection)
        yield Ready(
            identifier,
            RecordedSearch(identifier, searched, recorded).identify,
            f"Collection {plain(name)}: {several(size.subjects, 'subject')} with"
            f" {several(size.references, 'reference')}, compared by {by}.",
            "collection",
            {
                "name": name,
                "subjects": size.subjects,
                "references": size.references,
                "by": by,
            },
        )
