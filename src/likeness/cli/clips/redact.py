"""`likeness redact` on clips: copies with hidden faces, each written whole or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import Buckets, HeldBuckets
from likeness.cli.clips.copies import copies_of_clips, file_name
from likeness.cli.clips.each_clip import in_seconds, shown_name
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.installation import load_every_face, open_likeness
from likeness.cli.redact_options import Outputs, Wanted
from likeness.cli.redact_report import Report, Sheet, report_to
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
    FacesOfClip,
    RedactedClip,
    Visible,
    find_faces,
    preview,
    write_redacted,
)
from likeness.service.redact.findings import RedactionFindings
from likeness.service.uses import Caller, Stated
from likeness.service.video.asked import LocalClip
from likeness.terms import Image
from likeness.video import ClipLimits, Frame, FrameFinder, Moment, Sampling
from likeness.vision.every_face import FRAME, GLANCE

# Whoever stays visible, in a few lines; a report has all.
_MOST_SAID = 20

if TYPE_CHECKING:
    from likeness.service.redact.known import ClipPart

    SeeVisible: TypeAlias = Callable[[ClipPart], Visible]
    """Says who stays visible in a clip."""


def redact_clips(
    installation: Installation,
    clips: Sequence[ClipPlace],
    outputs: Outputs,
    wanted: Wanted,
    manner: Manner,
    options: ClipOptions,
    *,
    as_json: bool,
) -> ExitCode:
    """Write copies of clips with hidden faces; a bad clip is reported, others still done."""
    copies: Mapping[ClipPlace, Path | None] = (
        dict.fromkeys(clips)
        if outputs.out is None
        else copies_of_clips(clips, outputs.out, called="redacted")
    )
    for one in filter(None, copies.values()):
        check_output(one)
    outputs.require_apart(
        [one.path for one in clips if isinstance(one, LocalClip)], copies.values()
    )
    sheet = Sheet(outputs.preview)
    closeness = FRAME if manner.careful else GLANCE
    finder = EveryFaceOfFrames(load_every_face(installation, Workload.MANY, closeness))
    code, documents = ExitCode.DONE, list[Json]()
    with (
        HeldBuckets(buckets_of(installation.settings)) as buckets,
        _visible(installation, wanted, manner) as visible,
        report_to(outputs.report) as told,
    ):
        workers = installation.workers(Workload.MANY)
        work = _Work(finder, visible, manner, options.sampling, workers, told, sheet)
        for place, copy in copies.items():
            name = shown_name(place)
            try:
                done = work.of(place, copy, buckets)
            except LikenessError as error:
                report(error, about=place.name)
                code = max(code, code_of(error))
                documents.append({"clip": name, "error": error_json(error)})
                continue
            if as_json:
                documents.append({"clip": name, **_json(done, copy)})
                continue
            for line in _lines(name, done, copy, wanted.whom, outputs.report):
                print(line)
    sheet.write()
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
        people = FolderOfPeople.of(likeness.finder, identifier)
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
    manner: Manner
    sampling: Sampling
    workers: int
    told: Report | None
    sheet: Sheet

    def of(self, place: ClipPlace, copy: Path | None, buckets: Buckets) -> "_Done":
        """Write the copy of one clip, and what else was asked for."""
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
            for image, time_s, _ in self._previewed(file, faces, visible, limits):
                self.sheet.add(image, f"{name} {time_s:.1f} s")
            if copy is None:
                return _Done(faces, None, RedactionFindings())
            findings = RedactionFindings()

            def tell_moment(frame: Frame, moment: Moment) -> None:
                findings.add(frame.time_s, moment)
                if self.told is not None:
                    self.told.frame(shown_name(place), frame.time_s, moment)

            with counting(f"Writing {name}") as tell:
                to_ms, in_ms = round(1000 * faces.ends_s), in_seconds(tell)
                written = write_redacted(
                    file,
                    copy,
                    faces,
                    self.manner,
                    self.sampling,
                    visible=visible,
                    limits=limits,
                    tell=lambda done_s: in_ms(round(1000 * done_s), to_ms),
                    tell_moment=tell_moment,
                )
            findings.finish()
            if self.told is not None:
                self.told.end(shown_name(place), findings)
            return _Done(faces, written, findings)

    def _previewed(
        self, file: BinaryIO, faces: FacesOfClip, visible: Visible, limits: ClipLimits
    ) -> Iterator[tuple[Image, float, Moment]]:
        if self.sheet.wanted:
            yield from preview(
                file, faces, self.manner, self.sampling, visible=visible, limits=limits
            )


@dataclass(frozen=True, slots=True)
class _Done:
    """What was found in a clip, and what came of its copy, if one was asked for."""

    faces: FacesOfClip
    redacted: RedactedClip | None
    findings: RedactionFindings


def _lines(
    name: str, done: _Done, copy: Path | None, whom: Whom, report_out: Path | None
) -> Iterator[str]:
    tracks = several(len(done.faces.tracks), "face")
    if done.redacted is None:
        yield f"{plain(name)}: {tracks} followed; no copy written"
        return
    written = done.redacted.written
    hidden = "followed and hidden" if whom is Whom.ALL else "followed"
    yield (
        f"{plain(name)}: {tracks} {hidden} in {several(written.frames, 'frame')};"
        f" {plain(copy)} written"
    )
    yield from (f"      {remark}" for remark in written.remarks)
    for one in done.findings.visible[:_MOST_SAID]:
        who = "somebody" if one.called is None else plain(one.called)
        yield f"      visible {one.begins_s:.1f}-{one.ends_s:.1f} s: {who}"
    if whom is Whom.ALL_BUT and not done.findings.visible:
        yield "      nobody is recognised, so nobody is kept visible"
    doubtful = len(done.findings.to_look_at)
    if doubtful:
        are = "is a place" if doubtful == 1 else f"are {doubtful} places"
        lists = "--report OUT.html lists them" if report_out is None else f"see {plain(report_out)}"
        yield f"      There {are} that a person should look at: {lists}."


def _json(done: _Done, copy: Path | None) -> dict[str, Any]:
    facts = {"looked_at": done.faces.looked_at, "tracks": len(done.faces.tracks)}
    if done.redacted is None:
        return {"written": None, **facts}
    written = done.redacted.written
    return {
        "written": str(copy),
        "frames": written.frames,
        **facts,
        "seconds": round(written.seconds, 3),
        "sound": written.sound,
        "remarks": list(written.remarks),
        "hidden": done.redacted.hidden,
        "to_look_at": len(done.findings.to_look_at),
    }
