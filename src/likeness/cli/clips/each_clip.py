"""Many clips, one after the other: a bad one is reported and the others are still done."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from likeness.buckets import Buckets
from likeness.cli.clips.copies import AnnotatedClips, Stills, file_name
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.clips.tables import ShownClip, json_of, lines_of, write_header, write_rows
from likeness.cli.terminal.answers import Json, error_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, report
from likeness.cli.terminal.output_file import growing_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import Tell, counting
from likeness.errors import InvalidRequest, LikenessError
from likeness.service.video.asked import LocalClip
from likeness.service.video.seen import ClipSeen, TellMs
from likeness.terms import UNDECLARED
from likeness.video import ClipLimits, Sampling

See = Callable[[ClipPlace, TellMs], ClipSeen]
"""Says who is seen when in a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipsAnswer:
    """What came of all clips: the worst code, documents for `--json`, and how many were named."""

    code: ExitCode
    documents: list[Json]
    named: int


def answer_clips(
    see: See,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    *,
    annotate: Path | None,
    as_json: bool,
    names_people: bool,
    buckets: Buckets,
    purpose: str = UNDECLARED,
    preamble: Sequence[str] = (),
) -> ClipsAnswer:
    """Say of each clip who is seen when, and write what else was asked for.

    `preamble` is printed before the first answer. The code is that of the worst error.

    Raises:
        InvalidRequest: something that was asked for cannot be written.
    """
    writing = _Writing(
        AnnotatedClips(clips, annotate),
        Stills(clips, options.shots, purpose, unblurred=options.unblurred),
        buckets,
        options.sampling,
    )
    code, documents, named, before = ExitCode.DONE, list[Json](), 0, [*preamble]

    def failed(place: ClipPlace, error: LikenessError) -> Json:
        nonlocal code
        report(error, about=place.name)
        code = max(code, code_of(error))
        return {"error": error_json(error)}

    with nullcontext() if options.csv is None else growing_output(options.csv) as table:
        if table is not None:
            write_header(table)
        for place in clips:
            name = shown_name(place)
            try:
                with counting(f"Seconds of {plain(file_name(place))}") as tell:
                    seen = see(place, in_seconds(tell))
                require_frames(seen, options.sampling)
            except LikenessError as error:
                documents.append({"clip": name, **failed(place, error)})
                continue
            shown = ShownClip(name, seen, names_people, {})
            named += sum(one.match is not None for one in seen.people)
            if table is not None:
                write_rows(table, shown)
            # Who is seen is told whatever happens to what is written beside.
            copy, problem = None, dict[str, Any]()
            try:
                shown = writing.stills(place, shown)
                copy = writing.copy(place, shown)
            except LikenessError as error:
                problem = failed(place, error)
            if as_json:
                annotated = None if copy is None else str(copy)
                document = {**json_of(shown), "annotated": annotated, **problem}
                documents.append({"clip": name, **document})
                continue
            for line in (*before, *lines_of(shown)):
                print(line)
            before.clear()
            if copy is not None:
                print(f"      {plain(copy)} written, without sound")
    return ClipsAnswer(code=code, documents=documents, named=named)


@dataclass(frozen=True, slots=True)
class _Writing:
    """What is written beside the answer, and how clips are read once more for it."""

    annotations: AnnotatedClips
    shots: Stills
    buckets: Buckets
    sampling: Sampling

    def stills(self, place: ClipPlace, shown: ShownClip) -> ShownClip:
        """Write the stills of a clip, and give what is told with where they are."""
        limits = ClipLimits()
        return replace(
            shown, shots=self.shots.write(place, shown, self.buckets, self.sampling, limits)
        )

    def copy(self, place: ClipPlace, shown: ShownClip) -> Path | None:
        """Write the annotated copy of a clip; give where it is."""
        with counting(f"Writing {plain(file_name(place))}") as tell:
            in_ms, to_ms = in_seconds(tell), round(1000 * shown.seen.to_s)
            return self.annotations.write(
                place,
                shown,
                self.buckets,
                self.sampling,
                ClipLimits(),
                lambda done_s: in_ms(round(1000 * done_s), to_ms),
            )


def shown_name(place: ClipPlace) -> str:
    """Give the name that a clip was given by."""
    return str(place.path) if isinstance(place, LocalClip) else place.name


def require_frames(seen: ClipSeen, sampling: Sampling) -> None:
    """Refuse a part of a clip in which nothing is.

    Raises:
        InvalidRequest: it begins behind the clip's end, or lies between two frames.
    """
    if seen.frames:
        return
    begins_s, lasts_s = sampling.from_s, seen.clip.duration_s
    if lasts_s is not None and begins_s >= lasts_s:
        raise InvalidRequest(
            f"Nothing to look at from {begins_s:g} s on: the clip lasts {lasts_s:.1f} s. Begin"
            " earlier."
        )
    ends = "" if sampling.to_s is None else f" and before {sampling.to_s:g} s"
    raise InvalidRequest(
        f"The clip has no frame from {begins_s:g} s on{ends}. Look at a longer part."
    )


def in_seconds(tell: Tell) -> TellMs:
    """Give what tells whole seconds of milliseconds."""

    def tell_ms(done_ms: int, total_ms: int) -> None:
        done = max(0, done_ms // 1000)
        tell(done, max(done, -(-total_ms // 1000)))

    return tell_ms
