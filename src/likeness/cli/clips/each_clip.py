"""Many clips, one after the other: a bad one is reported and the others are still done."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from likeness.buckets import Buckets
from likeness.cli.clips.copies import AnnotatedClips, Stills, file_name
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.clips.tables import Told, json_of, lines_of, write_header, write_rows
from likeness.cli.terminal.answers import Json, error_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, report
from likeness.cli.terminal.output_file import growing_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.errors import LikenessError
from likeness.service.video.asked import LocalClip
from likeness.service.video.seen import ClipSeen
from likeness.terms import UNDECLARED
from likeness.video import ClipLimits

TellMs = Callable[[int, int], None]
See = Callable[[ClipPlace, TellMs], ClipSeen]
"""Says who is seen when in a clip; is given what to tell of how many of how many milliseconds."""


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
    sampling, limits = options.sampling, ClipLimits()
    annotations = AnnotatedClips(clips, annotate)
    stills = Stills(clips, options.shots, purpose, unblurred=options.unblurred)
    code, documents, named, before = ExitCode.DONE, list[Json](), 0, [*preamble]
    with nullcontext() if options.csv is None else growing_output(options.csv) as table:
        if table is not None:
            write_header(table)
        for place in clips:
            name = shown_name(place)
            try:
                with counting(f"Seconds of {plain(file_name(place))}") as tell:
                    seen = see(place, lambda done, total, tell=tell: tell(*_seconds(done, total)))  # type: ignore[misc]
                told = Told(name, seen, names_people, {})
                told = replace(told, shots=stills.write(place, told, buckets, sampling, limits))
                with counting(f"Writing {plain(file_name(place))}") as tell:
                    total = _seconds(0, round(1000 * seen.to_s))[1]
                    copy = annotations.write(
                        place,
                        told,
                        buckets,
                        sampling,
                        limits,
                        lambda done_s, tell=tell, total=total: tell(int(done_s), total),  # type: ignore[misc]
                    )
            except LikenessError as error:
                report(error, about=place.name)
                code = max(code, code_of(error))
                documents.append({"clip": name, "error": error_json(error)})
                continue
            named += 0 if seen.withheld else sum(one.match is not None for one in seen.people)
            _tell_of(told, table, documents, before, copy, as_json=as_json)
    return ClipsAnswer(code=code, documents=documents, named=named)


def shown_name(place: ClipPlace) -> str:
    """Give the name that a clip was given by."""
    return str(place.path) if isinstance(place, LocalClip) else place.name


def _tell_of(
    told: Told,
    table: TextIO | None,
    documents: list[Json],
    before: list[str],
    copy: Path | None,
    *,
    as_json: bool,
) -> None:
    if table is not None:
        write_rows(table, told)
    if as_json:
        annotated = None if copy is None else str(copy)
        documents.append({"clip": told.name, **json_of(told), "annotated": annotated})
        return
    for line in (*before, *lines_of(told)):
        print(line)
    before.clear()
    if copy is not None:
        print(f"      {plain(copy)} written, without sound")


def _seconds(done_ms: int, total_ms: int) -> tuple[int, int]:
    done = max(0, done_ms // 1000)
    return done, max(done, -(-total_ms // 1000))
