"""`likeness redact`: faces of pictures and clips hidden for good, of all or of some people."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Installation, Workload
from likeness.cli.clips.options import clip_options
from likeness.cli.clips.sources import sources_of
from likeness.cli.installation import load_every_face, prepare
from likeness.cli.redact_options import Outputs, Wanted, wanted
from likeness.cli.redact_report import Sheet, report_to
from likeness.cli.searched import Ready, collection_ready, folder_ready
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.copies import copies_of
from likeness.cli.terminal.each_picture import answer_each
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    Detector,
    DetectorSide,
    FootageStated,
    From,
    PicturesOrClips,
    PrecisionChoice,
    Threads,
    To,
)
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import STANDARD_INPUT, check_read_once, sample_of
from likeness.cli.terminal.words import box_in_words, several
from likeness.errors import required
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.findings import RedactionFindings
from likeness.service.redact.pictures import PictureRedactor, RedactedPicture
from likeness.service.search.documents import sample_json
from likeness.terms import Box, Image
from likeness.video import Hidden, Style
from likeness.vision.encode import SUFFIXES, picture_bytes
from likeness.vision.every_face import GLANCE, PICTURE

_LOSSLESS = (".bmp", ".gif", ".tif", ".tiff")


def redact(
    sources: PicturesOrClips,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help="Where the copy goes: a .jpg, .png or .webp file for a picture, .mp4 for a clip,"
            " or a folder for several.",
        ),
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Hide every face.")] = False,
    keep: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Hide all but the people of this collection."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAME", help="Hide only the people of this collection.")
    ] = None,
    keep_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Hide all but the people of this folder, which has one folder, or one picture,"
            " for each.",
        ),
    ] = None,
    only_folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Hide only the people of this folder.")
    ] = None,
    footage: FootageStated = None,
    style: Annotated[Style, typer.Option(help="What is seen where a face is hidden.")] = Style.BLUR,
    careful: Annotated[
        bool,
        typer.Option(
            "--careful/--fast",
            help="Hide what may be a face too; or be done sooner, and miss more of it.",
        ),
    ] = True,
    preview: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.jpg", help="Write a sheet of small pictures of what stays visible here."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write what is hidden and why here, and what a person should look at: a .csv or"
            " .json file of every frame, or an .html page.",
        ),
    ] = None,
    from_: From = None,
    to: To = None,
    as_json: AsJson = False,
    detector: Detector = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Hide faces in copies of pictures or clips, beyond recovery.

    Nothing else of the file goes along but a clip's sound. Every picture or clip counts: a bad one
    is reported and the others are still done.
    """
    options = clip_options(None, from_, to, None, None)
    outputs = Outputs(out, report, preview)
    chosen = wanted(
        everybody=everybody,
        keep=keep,
        only=only,
        keep_folder=keep_folder,
        only_folder=only_folder,
        footage=footage,
    )
    installation = prepare(
        detector=detector,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    found = sources_of(sources, installation.settings)
    manner = Manner(style, careful)
    if found.clips:
        from likeness.cli.clips.redact import redact_clips

        code = redact_clips(
            installation, found.clips, outputs, chosen, manner, options, as_json=as_json
        )
    else:
        options.require_unused()
        code = _redact_pictures(
            installation, found.pictures, outputs, chosen, manner, as_json=as_json
        )
    raise typer.Exit(code)


def _redact_pictures(
    installation: Installation,
    pictures: Sequence[Path],
    outputs: Outputs,
    chosen: Wanted,
    manner: Manner,
    *,
    as_json: bool,
) -> ExitCode:
    check_read_once(pictures)
    copies = _copies(pictures, outputs.out)
    for copy in filter(None, copies.values()):
        check_output(copy)
    outputs.require_apart(pictures, copies.values())
    sheet = Sheet(outputs.preview)
    workload = Workload.ONE if len(pictures) == 1 else Workload.MANY
    closeness = PICTURE if manner.careful else GLANCE
    redactor = PictureRedactor(load_every_face(installation, workload, closeness), manner)

    with (
        _ready(installation, chosen) as ready,
        report_to(outputs.report) as told,
    ):

        def work(picture: Path) -> _Written:
            read = partial(sample_of, installation, picture)
            named = None if ready is None else ready.identify(read)
            sample = read() if named is None else named.sample
            redacted = redactor.redact(sample, chosen.whom, named)
            copy = copies[picture]
            if copy is not None:
                write_output(copy, picture_bytes(redacted.pixels, copy.suffix))
            return _Written(picture, copy, redacted)

        def tell(written: _Written) -> None:
            sheet.add(Image.of(written.redacted.pixels), plain(written.picture.name))
            if told is not None:
                findings, moment = RedactionFindings(), written.redacted.moment
                findings.add(0.0, moment)
                findings.finish()
                told.frame(str(written.picture), 0.0, moment)
                told.end(str(written.picture), findings)

        def document_of(written: _Written) -> Json:
            tell(written)
            return _json(written)

        def lines_of(picture: Path, written: _Written) -> Iterator[str]:
            tell(written)
            yield from _lines(written)

        code, documents = answer_each(
            work,
            pictures,
            installation.workers(workload),
            as_json=as_json,
            document_of=document_of,
            lines_of=lines_of,
        )
    sheet.write()
    if as_json:
        print_json({"pictures": documents})
    return code


@dataclass(frozen=True, slots=True)
class _Written:
    """A picture, its copy, if one was asked for, and what is hidden in that."""

    picture: Path
    copy: Path | None
    redacted: RedactedPicture


def _copies(pictures: Sequence[Path], out: Path | None) -> Mapping[Path, Path | None]:
    if out is None:
        return dict.fromkeys(pictures)
    return copies_of(
        pictures,
        out,
        kind="picture",
        called="redacted",
        suffixes=list(SUFFIXES),
        name_of=_copy_name,
        file_of=lambda picture: None if picture == STANDARD_INPUT else picture,
    )


@contextmanager
def _ready(installation: Installation, chosen: Wanted) -> Iterator[Ready | None]:
    """Get ready what names faces; None where every face is hidden."""
    if chosen.whom is Whom.ALL:
        yield None
    elif chosen.folder is not None:
        with folder_ready(installation, chosen.folder) as ready:
            yield ready
    else:
        name = required(chosen.collection, "a collection")
        with collection_ready(installation, name, "best", chosen.footage, "redact") as ready:
            yield ready


def _lines(written: _Written) -> Iterator[str]:
    redacted, sample = written.redacted, written.redacted.sample
    copy = "no copy" if written.copy is None else plain(written.copy)
    yield (
        f"{plain(written.picture)}: {several(len(redacted.hidden), 'face')} hidden in"
        f" {sample.width}x{sample.height} pixels; {copy} written"
    )
    yield from (f"      {remark}" for remark in sample.remarks)
    for one in redacted.shown:
        called = "" if one.called is None else f"{plain(one.called)}, "
        yield f"      visible: {called}box {box_in_words(one.box)}"
    doubtful = redacted.to_look_at
    if doubtful:
        yield f"      {several(len(doubtful), 'place')} that may be no face:"
        yield from (f"      box {box_in_words(one.region.box)}" for one in doubtful)


def _json(written: _Written) -> Json:
    redacted = written.redacted
    return {
        **sample_json(redacted.sample),
        "written": None if written.copy is None else str(written.copy),
        "hidden": [_hidden_json(one) for one in redacted.hidden],
        "shown": [{"box": _box_json(one.box), "called": one.called} for one in redacted.shown],
    }


def _hidden_json(hidden: Hidden) -> Json:
    return {
        "box": _box_json(hidden.region.box),
        "sight": hidden.sight.value,
        "reason": hidden.reason.value,
        "confidence": hidden.confidence,
    }


def _box_json(box: Box) -> Json:
    return {side: round(getattr(box, side), 1) for side in ("left", "top", "right", "bottom")}


def _copy_name(picture: Path) -> str:
    if picture == STANDARD_INPUT:
        return "standard-input.png"
    suffix = picture.suffix.lower()
    if suffix in SUFFIXES:
        return picture.name
    return f"{picture.name}{'.png' if suffix in _LOSSLESS else '.jpg'}"
