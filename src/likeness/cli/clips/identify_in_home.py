"""`likeness identify --collection` on clips: each is a job, admitted by rules and on record."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import Buckets, HeldBuckets
from likeness.cli.clips.identify import ClipSearch, answer
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.searched import collection_open
from likeness.cli.terminal.exit_codes import ExitCode, resumable
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.service.uses import Caller, Stated
from likeness.service.video.asked import Asked
from likeness.service.video.local import search_clip
from likeness.service.video.seen import ClipSeen, TellMs
from likeness.service.video.track_scores import tracks_named_from
from likeness.terms import Action, Footage

_BESIDE_SERVER = "ask the server: StartFaceSearch"


def identify_in_collection(
    installation: Installation,
    collection: str,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    footage: Footage | None,
    *,
    annotate: Path | None,
    as_json: bool,
) -> ExitCode:
    """Name the people of clips from a collection, and print when each is in view.

    Each clip is a job: interrupted, the same command goes on where it was.
    """
    with (
        resumable(),
        HeldBuckets(buckets_of(installation.settings)) as buckets,
        _collection_ready(installation, collection, buckets, options, footage) as search,
    ):
        return answer(search, clips, options, buckets, annotate=annotate, as_json=as_json)


@contextmanager
def _collection_ready(
    installation: Installation,
    name: str,
    buckets: Buckets,
    options: ClipOptions,
    footage: Footage | None,
) -> Iterator[ClipSearch]:
    with collection_open(installation, name, _BESIDE_SERVER) as (home, collection):
        settings = installation.settings
        naming = tracks_named_from(home, collection, fmr=settings.fmr, fpir=settings.fpir)
        workers = installation.workers(Workload.MANY)

        def see(place: ClipPlace, tell: TellMs) -> ClipSeen:
            # A use of its own for every clip.
            caller = Caller(home.somebody, "identify", Stated(footage=footage))
            asked = Asked(place=place, sampling=options.sampling)
            return search_clip(home, buckets, caller, name, asked, tell, workers)

        size = collection.size
        yield ClipSearch(
            see=see,
            naming=naming.naming,
            in_words=(
                f"Collection {plain(name)}: {several(size.subjects, 'subject')} with"
                f" {several(size.references, 'reference')}."
            ),
            kind="collection",
            in_json={"name": name, "subjects": size.subjects, "references": size.references},
            purpose=Caller(home.somebody, "identify").use(Action.SEARCH).purpose,
        )
