"""`likeness redact` on clips: copies with hidden faces, each written whole or not at all."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import Buckets, HeldBuckets
from likeness.cli.clips.copies import copies_of_clips, file_name
from likeness.cli.clips.each_clip import in_seconds, shown_name
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.installation import load_every_face
from likeness.cli.terminal.answers import Json, error_json, print_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, report
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.errors import LikenessError
from likeness.service.redact.asked import Manner
from likeness.service.redact.clips import (
    EveryFaceOfFrames,
    RedactedClip,
    find_faces,
    write_redacted,
)
from likeness.video import ClipLimits, FrameFinder, Sampling
from likeness.vision.every_face import FRAME, GLANCE


def redact_clips(
    installation: Installation,
    clips: Sequence[ClipPlace],
    out: Path,
    manner: Manner,
    options: ClipOptions,
    *,
    as_json: bool,
) -> ExitCode:
    """Write copies of clips with every face hidden; a bad clip is reported, others still done."""
    copies = copies_of_clips(clips, out, called="redacted")
    for copy in copies.values():
        check_output(copy)
    closeness = FRAME if manner.careful else GLANCE
    finder = EveryFaceOfFrames(load_every_face(installation, Workload.MANY, closeness))
    work = _Work(finder, manner, options.sampling, installation.workers(Workload.MANY))
    code, documents = ExitCode.DONE, list[Json]()
    with HeldBuckets(buckets_of(installation.settings)) as buckets:
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


class _Work:
    """Redacts one clip after the other."""

    def __init__(
        self, finder: FrameFinder, manner: Manner, sampling: Sampling, workers: int
    ) -> None:
        self._finder = finder
        self._manner = manner
        self._sampling = sampling
        self._workers = workers

    def of(self, place: ClipPlace, copy: Path, buckets: Buckets) -> RedactedClip:
        """Write the copy of one clip."""
        name, limits = plain(file_name(place)), ClipLimits()
        with place.open(buckets, limits) as file:
            with counting(f"Seconds of {name}") as tell:
                faces = find_faces(
                    file,
                    self._finder,
                    self._manner,
                    self._sampling,
                    limits=limits,
                    workers=self._workers,
                    tell=in_seconds(tell),
                )
            with counting(f"Writing {name}") as tell:
                to_ms, in_ms = round(1000 * faces.ends_s), in_seconds(tell)
                return write_redacted(
                    file,
                    copy,
                    faces,
                    self._manner,
                    self._sampling,
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
