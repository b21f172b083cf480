"""`likeness models calibrate`: what scores mean, by pictures of known people or by scores."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from likeness.app import Workload
from likeness.cli.installation import load_finder, prepare
from likeness.cli.models.cohort import WrittenTo, tell_of
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.input_file import read_text
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    ChipsChoice,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import folded, several
from likeness.errors import InvalidRequest
from likeness.evaluation import Estimate
from likeness.service.evaluate.findings import CalibrationFindings, RowProblem
from likeness.service.search.documents import significant
from likeness.terms import one_in

_ROWS = 12


def calibrate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="Pictures: one folder a person, or a manifest (CSV with path, subject and labels)."
            " With --scores a file of scores.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help='What the pictures are, such as "LFW View 1, deep-funneled".')
    ] = None,
    leave_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Names of mislabelled people to leave out, one a line."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that a manifest's paths start from. Default: the manifest's own folder.",
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Measure how often strangers of one group match, by this column of the manifest;"
            " of several also crossed. Answers warn by it.",
        ),
    ] = None,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores",
            help="SOURCE is any system's scores (path_a, path_b, score); nothing is kept.",
        ),
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="With --scores: whose the pictures are."),
    ] = None,
    out: WrittenTo = None,
    as_json: AsJson = False,
    chips: ChipsChoice = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Measure what scores mean with the models and the cohort in use, from all pairs of pictures.

    It is used from then on. Do not judge a model by pictures that its cohort was made from.
    Thresholds and likelihood ratios are printed, too; with --scores those of any system.
    """
    if out is not None:
        check_output(out)
    if scores:
        if leave_out or root or group:
            raise InvalidRequest(
                "--scores does not go with --leave-out, --root or --group: `likeness audit` counts"
                " groups of any system. Leave them out."
            )
        _calibrate_scores(source, labels, name, out, as_json)
        return
    if labels is not None:
        raise InvalidRequest(
            "--labels goes with --scores. Name the manifest as SOURCE to calibrate by it."
        )
    left_out = _names(leave_out) if leave_out else frozenset()
    # What reads and resamples is imported late: `likeness models list` needs none of it.
    from likeness.service.models import calibrate as act

    installation = prepare(chips=chips, precision=precision, threads=threads, artifacts=artifacts)
    finder = load_finder(installation, Workload.MANY)
    workers = installation.workers(Workload.MANY)
    with counting("Pictures") as tell:
        people = act.read_people(
            source, finder, limits=installation.limits, workers=workers, root=root, tell=tell
        )
    _tell_problems(people.problems)
    tell_of(people.rejections)
    made = act.calibrate(
        people.without(left_out),
        finder,
        measured_on=name or source.resolve().name,
        groups=group or (),
        workers=workers,
    )
    standards, calibration = installation.standards, made.calibration
    if out is None:
        kept = standards.keep_calibration(calibration)
    else:
        kept = out
        write_output(out, json.dumps(calibration.as_json(), indent=1).encode())
    if made.groups is not None and not made.groups.groups:
        warn("no group has 30 pairs of strangers that reach any threshold, so none is kept")
    elif made.groups is not None and out is None:
        standards.keep_groups(made.groups)
    rates = () if made.groups is None else made.groups.groups
    print_answer(
        as_json,
        {
            "pictures": len(people.pictures),
            "people": len(people.subjects),
            "without_a_face": len(people.rejections),
            "left_out": len(left_out),
            "pairs": calibration.pairs,
            "least_counted_fmr": significant(calibration.least_counted),
            "lowest_fmr": significant(calibration.lowest_fmr),
            "written": str(kept),
            "groups": [asdict(one) for one in rates],
            "meaning": asdict(made.meaning),
        },
        [
            f"{several(len(people.pictures), 'picture')} of {len(people.subjects)} people,"
            f" {several(len(people.rejections), 'picture')} not used; people left out:"
            f" {len(left_out)}.",
            f"{calibration.pairs:,} pairs of strangers show rates down to"
            f" {one_in(calibration.least_counted)}, their tail down to"
            f" {one_in(calibration.lowest_fmr)}.",
            f"Written to {plain(kept)}",
            *_meaning_in_words(made.meaning),
            *(
                f"{one.axis} {one.group}: {one_in(point.fmr)} strangers"
                f" ({one_in(point.low)} to {one_in(point.high)}) reach {point.score:.3f}"
                for one in rates
                for point in one.points
            ),
        ],
    )


def _calibrate_scores(
    source: Path, labels: Path | None, name: str | None, out: Path | None, as_json: bool
) -> None:
    from likeness.service.evaluate.calibrating import calibration_findings
    from likeness.service.evaluate.readers import plan_of_scores, read_labels, read_scores
    from likeness.service.evaluate.systems.score_file import ScoreFile

    rows = read_scores(source)
    plan = (
        plan_of_scores(rows) if labels is None else plan_of_scores(rows, labels=read_labels(labels))
    )
    scored = ScoreFile(rows, name=name or "").score(plan, lambda done, total: None)
    _tell_problems((*plan.problems, *scored.problems))
    found = calibration_findings(scored)
    if found is None:
        raise InvalidRequest(f"'{source}' has no score that can be used. Correct the file.")
    document: Json = {"source": str(source), "meaning": asdict(found)}
    if out is not None:
        write_output(out, json.dumps(document, indent=1).encode())
    print_answer(as_json, document, _meaning_in_words(found))


def _meaning_in_words(found: CalibrationFindings) -> Iterator[str]:
    """Say in tables what scores mean."""
    from likeness.evaluation import verbal

    ratios = found.likelihood_ratios
    if found.scores:
        yield "What a score means:"
        chosen = np.unique(np.linspace(0, len(found.scores) - 1, _ROWS).round().astype(int))
        for place in chosen.tolist():
            score, line = found.scores[place], f"{one_in(found.fmrs[place])} strangers reach it"
            if ratios is not None:
                at, logs = zip(*ratios.knots, strict=True)
                log = float(np.interp(score, at, logs))
                line += f"; LR {10**log:.2g}, {verbal(log)}"
            yield f"  {score:>9.3f}  {line}"
    if ratios is not None and found.scores and ratios.knots[-1][0] > found.scores[-1]:
        score, log = ratios.knots[-1]
        line = f"fewer than {one_in(found.fmrs[-1])} strangers reach it; LR {10**log:.2g}"
        yield f"  {score:>9.3f}  {line}, {verbal(log)}"
    if ratios is not None:
        yield from folded(
            f"Likelihood ratios (LR) by {ratios.method}, from {10**ratios.least_log10:.1g} to"
            f" {10**ratios.most_log10:.1g}, which the data carry; words are ENFSI's. Cllr"
            f" {_estimate(ratios.cllr)} with people not fitted to, at least"
            f" {_estimate(ratios.cllr_min)} on any scale."
        ).splitlines()
    if found.thresholds:
        yield "Thresholds, with 95% intervals:"
    for one in found.thresholds:
        what = f"a false match rate of {one_in(one.target)}"
        if one.gallery > 1:
            what = f"searches of {one.gallery:,} that name {one_in(one.target)} strangers"
        # Of what is not known the reason is the same for all: the data's size.
        note = " (extrapolated)" if one.note and one.threshold.value is not None else ""
        yield f"  {_estimate(one.threshold):<28}  {what}{note}"
    for limit in found.limits:
        yield from folded(f"Limit: {limit}").splitlines()


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not known"
    ends = (estimate.low, estimate.high)
    low, high = ("?" if end is None else f"{end:.3g}" for end in ends)
    return f"{estimate.value:.3g} ({low} to {high})"


def _tell_problems(problems: Iterable[RowProblem]) -> None:
    for one in problems:
        warn(one.says, about=one.where)


def _names(file: Path) -> frozenset[str]:
    lines = read_text(file, "Name a file of names, one a line.").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
