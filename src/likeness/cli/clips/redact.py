"""`likeness redact` on clips: copies with hidden faces, each written whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import Buckets, HeldBuckets
from likeness.cli.clips.copies import copies_of_clips, file_name
from likeness.cli.clips.each_clip import in_seconds, shown_name
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.installation import load_every_face, open_likeness
from likeness.cli.redact_options import Wanted
from likeness.cli.searched import collection_open, read_folder
from likeness.cli.terminal.answers import Json, error_json, print_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, report
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.errors import LikenessError, required
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.clips import (
    EveryFaceOfFrames,
    RedactedClip,
    Visible,
    find_faces,
    write_redacted,
)
from likeness.service.uses import Caller, Stated
from likeness.video import ClipLimits, FrameFinder, Sampling
from likeness.vision.every_face import FRAME, GLANCE

if TYPE_CHECKING:
    from likeness.service.redact.known import ClipPart

    SeeVisible: TypeAlias = Callable[[ClipPart], Visible]
    """Says who stays visible in a clip."""


def redact_clips(
    installation: Installation,
    clips: Sequence[ClipPlace],
    out: Path,
    wanted: Wanted,
    manner: Manner,
    options: ClipOptions,
    *,
    as_json: bool,
) -> ExitCode:
    """Write copies of clips with hidden faces; a bad clip is reported, others still done."""
    copies = copies_of_clips(clips, out, called="redacted")
    for copy in copies.values():
        check_output(copy)
    closeness = FRAME if manner.careful else GLANCE
    finder = EveryFaceOfFrames(load_every_face(installation, Workload.MANY, closeness))
    code, documents = ExitCode.DONE, list[Json]()
    with (
        HeldBuckets(buckets_of(installation.settings)) as buckets,
        _visible(installation, wanted, manner) as visible,
    ):
        workers = installation.workers(Workload.MANY)
        work = _Work(finder, visible, wanted.whom, manner, options.sampling, workers)
        for place, copy in copies.items():
            name = shown_name(place)
            try:
                redacted = work.of(place, copy, buckets)
            except LikenessError as error:
                report(error, about=place.name)
                code = max(code, code_of(error))
                documents.append({"clip": name, "error": error_json(error)})
                continue
            if as_json:
                documents.append({"clip": name, **_json(redacted, copy)})
                continue
            for line in _lines(name, redacted, copy):
                print(line)
    if as_json:
        print_json({"clips": documents})
    return code


@contextmanager
def _visible(
    installation: Installation, wanted: Wanted, manner: Manner
) -> "Iterator[SeeVisible | None]":
    """Get ready whoever is known; None where every face is hidden."""
    if wanted.whom is Whom.ALL:
        yield None
        return
    # Whoever hides every face waits for none of this.
    from likeness.service.redact.known import FolderOfPeople, visible_by_collection

    if wanted.folder is not None:
        likeness = open_likeness(installation, Workload.MANY)
        identifier = likeness.clip_identifier(read_folder(likeness, wanted.folder))
        people = FolderOfPeople(
            gallery=identifier.gallery,
            finder=likeness.finder,
            naming=identifier.naming,
            same_from=identifier.same_from,
        )
        yield lambda part: people.visible(part, wanted.whom, manner)
        return
    name = required(wanted.collection, "a collection")
    with collection_open(installation, name, None, "redact") as (home, _):

        def visible(part: "ClipPart") -> Visible:
            # A use of its own for every clip.
            caller = Caller(home.somebody, "redact", Stated(footage=wanted.footage))
            return visible_by_collection(home, caller, name, part, wanted.whom, manner)

        yield visible


@dataclass(frozen=True, slots=True)
class _Work:
    """Redacts one clip after the other."""

    finder: FrameFinder
    visible: "SeeVisible | None"
    whom: Whom
    manner: Manner
    sampling: Sampling
    workers: int

    def of(self, place: ClipPlace, copy: Path, buckets: Buckets) -> RedactedClip:
        """Write the copy of one clip."""
        name, limits = plain(file_name(place)), ClipLimits()
        with place.open(buckets, limits) as file:
            visible = Visible()
            if self.visible is not None:
                from likeness.service.redact.known import ClipPart

                # Before anything else: rules may refuse it.
                with counting(f"People of {name}") as tell:
                    part = ClipPart(
                        file=file,
                        sampling=self.sampling,
                        limits=limits,
                        workers=self.workers,
                        tell=in_seconds(tell),
                    )
                    visible = self.visible(part)
            with counting(f"Faces of {name}") as tell:
                faces = find_faces(
                    file,
                    self.finder,
                    self.manner,
                    self.sampling,
                    limits=limits,
                    workers=self.workers,
                    tell=in_seconds(tell),
                )
            with counting(f"Writing {name}") as tell:
                to_ms, in_ms = round(1000 * faces.ends_s), in_seconds(tell)
                return write_redacted(
                    file,
                    copy,
                    faces,
                    self.manner,
                    self.sampling,
                    visible=visible,
                    limits=limits,
                    tell=lambda done_s: in_ms(round(1000 * done_s), to_ms),
                )


def _lines(name: str, redacted: RedactedClip, copy: Path) -> Iterator[str]:
    written = redacted.written
    tracks = several(len(redacted.faces.tracks), "face")
    yield (
        f"{plain(name)}: {tracks} followed and hidden in {several(written.frames, 'frame')};"
        f" {plain(copy)} written"
    )
    yield from (f"      {remark}" for remark in written.remarks)


def _json(redacted: RedactedClip, copy: Path) -> dict[str, Any]:
    written = redacted.written
    return {
        "written": str(copy),
        "frames": written.frames,
        "looked_at": redacted.faces.looked_at,
        "seconds": round(written.seconds, 3),
        "sound": written.sound,
        "remarks": list(written.remarks),
        "tracks": len(redacted.faces.tracks),
        "hidden": redacted.hidden,
    }
