"""What `likeness identify` searches, made ready: a folder of people, or a collection of the home.

Whoever searches a folder does not wait for a database: what a collection takes is imported late.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from likeness.app import Installation, Workload
from likeness.cli.installation import open_likeness
from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.library import Likeness
from likeness.service.search.faces import ReadSample
from likeness.service.search.folder_gallery import FolderGallery
from likeness.service.search.identify import Identified
from likeness.service.search.naming import Naming
from likeness.terms import Footage

if TYPE_CHECKING:
    from likeness.gallery import OpenCollection
    from likeness.service.uses import Home


@dataclass(frozen=True, slots=True)
class Ready:
    """What names faces, and what of: in a line, and as a member of the answer in JSON.

    `identify` does so for a sample that is read when it may be looked at. `code` is the least that
    the shell is told, since some of what was to be searched could not be read.
    """

    naming: Naming
    identify: Callable[[ReadSample], Identified]
    in_words: str
    kind: str
    in_json: Json
    code: ExitCode = ExitCode.DONE


@contextmanager
def folder_ready(installation: Installation, folder: Path) -> Iterator[Ready]:
    """Make a gallery of a folder; pictures that cannot be enrolled are reported.

    Of those, files and folders that could not be read are told by the exit code, too: somebody may
    be missing whom nobody notices.
    """
    likeness = open_likeness(installation, Workload.MANY)
    gallery = read_folder(likeness, folder)
    identifier = likeness.identifier(gallery)

    def identify(read: ReadSample) -> Identified:
        sample = read()
        return Identified(sample, identifier.identify(sample))

    yield Ready(
        identifier.naming,
        identify,
        folder_in_words(gallery),
        "gallery",
        folder_json(folder, gallery),
        folder_code(gallery),
    )


def read_folder(likeness: Likeness, folder: Path) -> FolderGallery:
    """Read a gallery from a folder; pictures that cannot be enrolled are reported."""
    with counting("Gallery") as tell:
        gallery = likeness.gallery(folder, tell)
    for rejection in gallery.rejections:
        warn(f"not enrolled, {rejection.reason}", about=repr(str(rejection.path)))
    for stray in gallery.unlike:
        warn(
            "looks like none of the person's other pictures, and is searched all the same. See"
            " whose it is.",
            about=repr(str(stray.path)),
        )
    return gallery


def folder_in_words(gallery: FolderGallery) -> str:
    """Say how large a gallery is."""
    subjects, references = len(gallery.subjects), len(gallery.references)
    people = "person" if subjects == 1 else "people"
    return f"Gallery of {subjects} {people} in {several(references, 'picture')}."


def folder_json(folder: Path, gallery: FolderGallery) -> Json:
    """Say the same in JSON, and what is not in it."""
    return {
        "folder": str(folder),
        "subjects": len(gallery.subjects),
        "references": len(gallery.references),
        "rejections": [
            {"picture": str(rejection.path), "reason": rejection.reason}
            for rejection in gallery.rejections
        ],
        "unlike": [
            {"picture": str(stray.path), "subject": stray.subject} for stray in gallery.unlike
        ],
    }


def folder_code(gallery: FolderGallery) -> ExitCode:
    """Give the least that the shell is told, since some of what was to be searched was unread."""
    unread = [one.error for one in gallery.rejections if isinstance(one.error, InvalidRequest)]
    return max((code_of(one) for one in unread), default=ExitCode.DONE)


@contextmanager
def collection_open(
    installation: Installation, name: str, beside_server: str | None, operation: str = "identify"
) -> "Iterator[tuple[Home, OpenCollection]]":
    """Open the home and a collection; what cannot be searched is said before networks are loaded.

    `operation` names the act in the ledger.

    Raises:
        NotFound: there is no such collection, or nobody has measured what its scores mean.
        Conflict: its model cannot be had here.
    """
    from likeness.app.finders import adopt_cohort_and_require_comparable
    from likeness.cli.acts import home_for
    from likeness.service.models.measure_strangers import StrangerUpkeep
    from likeness.terms import Action

    with home_for(operation, installation, beside_server) as (home, caller):
        adopt_cohort_and_require_comparable(
            installation, home, home.collection(caller, Action.SEARCH, name)
        )
        StrangerUpkeep(home.database, home.gallery, home.calibration_of).measure_if_changed(name)
        yield home, home.collection(caller, Action.SEARCH, name)


@contextmanager
def collection_ready(
    installation: Installation,
    name: str,
    by: str,
    footage: Footage | None = None,
    operation: str = "identify",
) -> Iterator[Ready]:
    """Open the home and a collection to search it for the faces of pictures.

    `footage` is what sort of source the pictures come from, where that is stated, and `operation`
    names the act in the ledger.
    Raises what `collection_open` raises.
    """
    from likeness.gallery import By
    from likeness.service.search.named import demands_of, identified
    from likeness.service.search.search import named_from, search_sample
    from likeness.service.uses import Caller, Stated

    settings = installation.settings
    beside_server = "ask the server: SearchFacesByImage" if operation == "identify" else None
    with collection_open(installation, name, beside_server, operation) as (home, collection):
        naming = named_from(home, collection, fmr=settings.fmr, fpir=settings.fpir)
        home.comparable_finder(collection)
        demands = demands_of(naming, By(by))

        def identify(read: ReadSample) -> Identified:
            # A use of its own for every picture.
            one = Caller(home.somebody, operation, Stated(footage=footage))
            return identified(search_sample(home, one, name, read, demands), naming)

        size = collection.size
        yield Ready(
            naming,
            identify,
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
