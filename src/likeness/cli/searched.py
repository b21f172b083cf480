"""What `likeness identify` searches, made ready: here a folder of people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from likeness.app import Installation, Workload
from likeness.cli.opened import opened
from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.service.search.identify import Identified, Identifier
from likeness.vision.decode import Sample


@dataclass(frozen=True, slots=True)
class Ready:
    """What names faces, and what of: in a line, and as a member of the answer in JSON.

    `identify` does so for a sample that is read when it may be looked at. `code` is the least that
    the shell is told, since some of what was to be searched could not be read.
    """

    identifier: Identifier
    identify: Callable[[Callable[[], Sample]], Identified]
    in_words: str
    kind: str
    in_json: Json
    code: ExitCode = ExitCode.DONE


@contextmanager
def folder_ready(settled: Installation, folder: Path) -> Iterator[Ready]:
    """Make a gallery of a folder; pictures that cannot be enrolled are reported.

    Of those, files and folders that could not be read are told by the exit code, too: somebody may
    be missing whom nobody notices.
    """
    likeness = opened(settled, Workload.MANY)
    with counting("Gallery") as tell:
        gallery = likeness.gallery(folder, tell)
    for rejection in gallery.rejections:
        warn(f"not enrolled, {rejection.reason}", about=repr(str(rejection.path)))
    unread = [one.error for one in gallery.rejections if isinstance(one.error, InvalidRequest)]
    subjects, references = len(gallery.subjects), len(gallery.references)
    people = "person" if subjects == 1 else "people"
    identifier = likeness.identifier(gallery)

    def identify(read: Callable[[], Sample]) -> Identified:
        sample = read()
        return Identified(sample, identifier.identify(sample))

    yield Ready(
        identifier,
        identify,
        f"Gallery of {subjects} {people} in {several(references, 'picture')}.",
        "gallery",
        {
            "folder": str(folder),
            "subjects": subjects,
            "references": references,
            "rejections": [
                {"picture": str(rejection.path), "reason": rejection.reason}
                for rejection in gallery.rejections
            ],
        },
        max((code_of(one) for one in unread), default=ExitCode.DONE),
    )
