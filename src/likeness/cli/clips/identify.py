"""`likeness identify` on clips: who of a folder is seen when, and how such answers are given."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import Buckets, HeldBuckets
from likeness.cli.clips.each_clip import See, answer_clips
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.installation import open_likeness
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.searched import (
    folder_code,
    folder_in_words,
    folder_json,
    read_folder,
)
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.service.search.naming import Naming
from likeness.service.video.seen import ClipSeen, TellMs
from likeness.terms import UNDECLARED
from likeness.video import ClipLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSearch:
    """What is searched for the people of clips: in a line, and as a member of the answer."""

    see: See
    naming: Naming
    in_words: str
    kind: str
    in_json: Json
    purpose: str = UNDECLARED
    code: ExitCode = ExitCode.DONE


def identify_in_folder(
    installation: Installation,
    folder: Path,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    *,
    annotate: Path | None,
    as_json: bool,
) -> ExitCode:
    """Name the people of clips from a folder, and print when each is in view."""
    with (
        HeldBuckets(buckets_of(installation.settings)) as buckets,
        _folder_ready(installation, folder, buckets, options) as search,
    ):
        return answer(search, clips, options, buckets, annotate=annotate, as_json=as_json)


def answer(
    search: ClipSearch,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    buckets: Buckets,
    *,
    annotate: Path | None,
    as_json: bool,
) -> ExitCode:
    """Say of each clip who is seen when; exit code 1 when nobody is known."""
    answered = answer_clips(
        search.see,
        clips,
        options,
        annotate=annotate,
        as_json=as_json,
        names_people=True,
        buckets=buckets,
        purpose=search.purpose,
        preamble=[search.in_words, *search_in_words(search.naming)],
    )
    if as_json:
        described = {**search.in_json, "operating_point": search_json(search.naming)}
        print_json({search.kind: described, "clips": answered.documents})
    return max(search.code, answered.code, ExitCode.DONE if answered.named else ExitCode.NO)


@contextmanager
def _folder_ready(
    installation: Installation, folder: Path, buckets: Buckets, options: ClipOptions
) -> Iterator[ClipSearch]:
    likeness = open_likeness(installation, Workload.MANY)
    gallery = read_folder(likeness, folder)
    identifier = likeness.clip_identifier(gallery)

    def see(place: ClipPlace, tell: TellMs) -> ClipSeen:
        with place.open(buckets, ClipLimits()) as file:
            return identifier.identify(file, options.sampling, workers=likeness.workers, tell=tell)

    yield ClipSearch(
        see=see,
        naming=identifier.naming.naming,
        in_words=folder_in_words(gallery),
        kind="gallery",
        in_json=folder_json(folder, gallery),
        code=folder_code(gallery),
    )
