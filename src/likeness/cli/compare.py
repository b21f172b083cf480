"""`likeness compare`: two pictures, or a file of pairs."""

import io
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from likeness.app import Installation, Workload
from likeness.cli.installation import open_likeness, prepare
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import ExitCode, code_of
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    ChipsChoice,
    DetectorSide,
    Fmr,
    Fnmr,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.standard_input import check_read_once, picture_path, sample_of
from likeness.cli.terminal.words import (
    as_high,
    box_in_words,
    folded,
    several,
    similarity_in_words,
)
from likeness.errors import InvalidRequest
from likeness.service.search.documents import verification_json
from likeness.service.search.verify import Answer, Verification
from likeness.terms import Calibration, Face, one_in, rate_of_any


def _picture(metavar: str) -> Any:
    return typer.Argument(
        metavar=metavar, help="Picture file; - is standard input.", parser=picture_path
    )


def compare(
    a: Annotated[Path | None, _picture("A")] = None,
    b: Annotated[Path | None, _picture("B")] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="PAIRS.csv", help="Many pairs instead: columns path_a, path_b."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the pairs' pictures lie; beside the file without."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="SCORES.csv", help="Where scores go; - is stdout.")
    ] = None,
    foremost: Annotated[
        bool, typer.Option("--foremost", help="Compare with the largest face of B alone.")
    ] = False,
    fmr: Fmr = None,
    fnmr: Fnmr = None,
    as_json: AsJson = False,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Compare the largest face of A with every face of B; exit code 0 if one passes.

    The answer is pass, no, or to let a person decide: --fmr and --fnmr set where each begins, for
    the whole of B, however many faces it has.

    With --pairs, score many pairs; every picture is decoded and embedded once. Pairs that have no
    score count as bad pictures in the exit code.
    """
    check_read_once([a, b])
    installation = prepare(
        fmr=fmr,
        fnmr=fnmr,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    if pairs is not None:
        if a or out is None or as_json:
            raise InvalidRequest(
                "--pairs PAIRS.csv goes with --out SCORES.csv, without pictures and --json. Give"
                " those two alone."
            )
        _compare_many(installation, pairs, root or pairs.parent, out, foremost)
    elif a is None or b is None or root is not None or out is not None:
        raise InvalidRequest(
            "Not two pictures, nor a file of pairs. Give A and B, or --pairs PAIRS.csv with --out"
            " SCORES.csv."
        )
    else:
        _compare_two(installation, a, b, foremost, as_json)


def _compare_two(
    installation: Installation, a: Path, b: Path, foremost: bool, as_json: bool
) -> None:
    likeness = open_likeness(installation, Workload.ONE)
    verification = likeness.compare(
        sample_of(installation, a), sample_of(installation, b), foremost=foremost
    )
    known, best = likeness.calibration, "largest" if foremost else "best"
    pictures = {"reference": str(a), "probe": str(b)}
    below = [
        *verification.probe_remarks,
        *_in_words(verification, known),
        *(_other_in_words(other, known) for other in verification.others),
    ]
    lines = [
        _compared(a, verification.reference, "largest", verification.reference_faces),
        *(f"  {line}" for line in verification.reference_remarks),
        _compared(b, verification.probe, best, verification.probe_faces),
        *(f"  {line}" for line in below),
    ]
    if verification.group_warning is not None:
        lines += folded(verification.group_warning.in_words).splitlines()
    print_answer(as_json, {**pictures, **verification_json(verification)}, lines)
    raise typer.Exit(ExitCode.DONE if verification.answer is Answer.PASS else ExitCode.NO)


def _compared(picture: Path, face: Face, which: str, among: int) -> str:
    """Name a picture, and which of its faces is meant where it has several."""
    if among == 1:
        return plain(picture)
    return f"{plain(picture)}: the {which} of {among} faces, box {box_in_words(face.box)}"


def _other_in_words(other: Verification, known: Calibration) -> str:
    """Say of another face of the second picture what it would be answered with."""
    return (
        f"box {box_in_words(other.probe.box)}: {_VERDICTS[other.answer]}, similarity"
        f" {similarity_in_words(other.similarity)}; {as_high(other.fmr, known)} pairs of strangers"
        " score as high"
    )


_VERDICTS = {
    Answer.PASS: "the same person",
    Answer.REFER: "let a person decide",
    Answer.NO: "not the same person",
}


def _in_words(verification: Verification, known: Calibration) -> list[str]:
    point, alike = verification.point, ""
    if verification.fmr_alike is not None and known.alike is not None:
        alike = f", and {as_high(verification.fmr_alike, known.alike)} of one sex, race and age"
    similarity = similarity_in_words(verification.similarity)
    rates = f"{as_high(verification.fmr, known)} pairs of strangers score as high{alike}"
    lines = [
        f"{_VERDICTS[verification.answer]}, similarity {similarity}: {verification.reason}",
        *([] if verification.comparison.is_identical else [rates]),
        *_rate_of_several(verification, known),
        f"score {verification.comparison.score:.3f}, raw score"
        f" {verification.comparison.raw_score:.3f}",
    ]
    faces = verification.gate.faces
    if point.calibrated:
        missed = verification.fnmr
        among = "" if faces == 1 else f" for {faces} faces, {one_in(point.fmr)} for each"
        among += " (extrapolated)" if point.extrapolated else ""
        share = "hardly any" if missed is None or missed < 5e-4 else f"about {100 * missed:.1g}% of"
        lines.append(
            f"decided at score {point.threshold:.3f}, a false match rate of"
            f" {one_in(verification.gate.fmr)}{among}"
            + ("" if missed is None else f"; {share} pairs of one person miss it")
        )
    elif not verification.comparison.is_identical:
        lines.append(
            f"a false match rate of {one_in(point.fmr)} is not known. Ask for"
            f" {one_in(rate_of_any(faces, known.lowest_fmr))} or more"
        )
    return lines


def _rate_of_several(verification: Verification, known: Calibration) -> list[str]:
    """Say how often any of several strangers scores as high, where several faces were compared."""
    faces = verification.gate.faces
    if faces == 1 or verification.comparison.is_identical:
        return []
    return [
        f"the best of {faces} faces: {as_high(verification.fmr, known, faces)} pictures of {faces}"
        " strangers hold one as high"
    ]


def _compare_many(
    installation: Installation, pairs: Path, root: Path, out: Path, foremost: bool
) -> None:
    to_stdout = str(out) == "-"
    if not to_stdout:
        check_output(out)
    likeness = open_likeness(installation, Workload.MANY)
    scores = io.StringIO(newline="")
    started = time.perf_counter()
    with counting("Pictures") as tell:
        counts = likeness.compare_pairs(pairs, root, scores, tell, foremost=foremost)
    seconds = time.perf_counter() - started
    if to_stdout:
        print(scores.getvalue(), end="")
    else:
        write_output(out, scores.getvalue().encode())
    print(
        f"{several(counts.pairs, 'pair')} of {several(counts.pictures, 'picture')} in"
        f" {seconds:.1f} s, {counts.pictures / seconds:.1f} pictures a second;"
        f" {several(counts.failures, 'pair')} without a score",
        file=sys.stderr,
    )
    settings, known = installation.settings, likeness.calibration
    warning = known.group_warning(known.point(settings.fmr), settings.group_fmr_warning)
    if warning is not None:
        print(folded(warning.in_words), file=sys.stderr)
    raise typer.Exit(max(map(code_of, counts.errors), default=ExitCode.DONE))
