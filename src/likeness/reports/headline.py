"""What a report says first: NIST's headline points, worst groups, and how two systems differ."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from likeness.evaluation import ERRORS_NEEDED, trials_needed
from likeness.reports.blocks import Block, Cell, Table, Text
from likeness.reports.wording import (
    NOTHING,
    UNKNOWN,
    Form,
    estimate_cell,
    number,
    percent,
    points,
    rate_cell,
    score,
    signed,
    small,
)
from likeness.service.evaluate.findings import (
    Difference,
    Findings,
    Identification,
    OperatingRates,
    Report,
    Verification,
)
from likeness.service.evaluate.questions import HEADLINE_FPIR
from likeness.terms import one_in

NamedFindings = tuple[tuple[str, Findings], ...]


def named_findings(report: Report) -> NamedFindings:
    """Name each system of a report; two of one name get a letter."""
    if len(report.findings) < 2:
        return tuple(("System", one) for one in report.findings)
    return tuple(
        (f"{letter}, {one.system.name}", one)
        for letter, one in zip("ABCDEFGH", report.findings, strict=False)
    )


def summary_blocks(report: Report) -> tuple[Block, ...]:
    """Say the headline points, the worst groups and what to be careful about."""
    named = named_findings(report)
    columns = ("", *(name for name, _ in named)) if len(named) > 1 else ("", "Figure")
    blocks: list[Block] = []
    for name, one in named:
        prefix = f"{name}: " if len(named) > 1 else ""
        if said := _in_a_sentence(one):
            blocks.append(Text(f"{prefix}{said}"))
        blocks += [
            Text(f"{prefix}{warning}", warning=True)
            for axis in one.axes
            for warning in axis.warnings
        ]
    rows = [
        row
        for row in (
            *(_headline_rows(named)),
            *(_worst_rows(named)),
            _row("Failure to acquire", named, lambda one: rate_cell(one.failures.fta)),
            _row("Failure to enrol", named, lambda one: rate_cell(one.failures.fte)),
        )
        if row
    ]
    blocks.append(
        Table("Headline", columns, tuple(rows), note="With 95% intervals, and errors of trials.")
    )
    if report.differences:
        blocks.append(_differences(report.differences, named))
    return tuple(blocks)


def _row(
    what: str, named: NamedFindings, cell_of: Callable[[Findings], Cell | None]
) -> tuple[Cell | str, ...]:
    cells = [cell_of(one) for _, one in named]
    if not any(cells):
        return ()
    return (what, *(cell or Cell(NOTHING) for cell in cells))


def _headline_rows(named: NamedFindings) -> list[tuple[Cell | str, ...]]:
    rows: list[tuple[Cell | str, ...]] = []
    verified = [one.verification for _, one in named if one.verification]
    if verified:
        target = verified[0].headline.target_fmr
        at = "the given threshold" if target is None else f"FMR {small(target)}"
        said = Cell(
            "1:1, FNMR at " + at, "" if target is None else f"{one_in(target)} pairs of strangers"
        )
        cells = [
            rate_cell(one.verification.headline.fnmr) if one.verification else Cell(NOTHING)
            for _, one in named
        ]
        rows.append((said, *cells))
        rows.append(
            (
                "1:1, threshold for it",
                *(
                    estimate_cell(one.verification.headline.threshold, score)
                    if one.verification
                    else Cell(NOTHING)
                    for _, one in named
                ),
            )
        )
        if any(one.headline.fnmr.value is None for one in verified):
            rows.append(
                _row(
                    "1:1, FNMR at the lowest FMR that the data carry",
                    named,
                    lambda one: _carried_cell(one.verification) if one.verification else None,
                )
            )
    searched = [one.identification for _, one in named if one.identification]
    if searched and any(one.headline for one in searched):
        first = next(one for one in searched if one.headline)
        fpir = first.headline.target_fpir if first.headline else None
        at = "the given threshold" if fpir is None else f"FPIR {percent(fpir)}"
        rows.append(
            (
                Cell(
                    f"1:N, FNIR at {at}",
                    f"gallery of {first.gallery:,}, lists of {first.depth}",
                ),
                *(
                    rate_cell(one.identification.headline.fnir)
                    if one.identification and one.identification.headline
                    else Cell(NOTHING)
                    for _, one in named
                ),
            )
        )
    elif searched:
        rows.append(
            _row(
                f"1:N, FNIR at FPIR {percent(HEADLINE_FPIR)}",
                named,
                lambda one: _too_few_searches(one.identification) if one.identification else None,
            )
        )
        rows.append(
            _row(
                "1:N, hit rate at rank 1",
                named,
                lambda one: (
                    rate_cell(one.identification.hit_rates[0])
                    if one.identification and one.identification.hit_rates
                    else None
                ),
            )
        )
    return rows


def _too_few_searches(one: Identification) -> Cell:
    """Say why there is no headline of searches."""
    note = "Nobody was searched for who is not enrolled (closed set)."
    if one.nonmated:
        note = (
            f"FPIR {percent(HEADLINE_FPIR)} needs {trials_needed(HEADLINE_FPIR):,} searches for"
            f" people who are not enrolled (rule of 30); there are {one.nonmated:,}."
        )
    return Cell(UNKNOWN, "", note, "unsure")


def _in_a_sentence(one: Findings) -> str:
    """Say in words what a reader asks first; nothing where nobody can know it."""
    verification = one.verification
    if verification is None or verification.headline.target_fmr is None:
        return ""
    point = _lowest_carried(verification)
    if point is None:
        return ""
    cell = rate_cell(point.fnmr)
    return (
        f"At the threshold where {one_in(point.target_fmr or 1.0)} pairs of strangers match,"
        f" {cell.text} of pairs of one person are missed ({cell.detail.partition(';')[0]})."
    )


def _carried_cell(verification: Verification) -> Cell | None:
    """Give the rates of the lowest target that is known, and has 30 errors or most of all."""
    lowest = _lowest_carried(verification)
    if lowest is None:
        return None
    cell = rate_cell(lowest.fnmr)
    at = f"FMR {small(lowest.target_fmr or 1.0)}"
    return Cell(f"{cell.text} at {at}", cell.detail, cell.note, cell.tone)


def _lowest_carried(verification: Verification) -> OperatingRates | None:
    known = [
        point
        for point in verification.points
        if point.fnmr.value is not None and point.target_fmr is not None and point.fmr.value
    ]
    if not known:
        return None
    counted = [point for point in known if point.fmr.errors >= ERRORS_NEEDED] or known
    return min(counted, key=lambda point: point.target_fmr or 1.0)


def _worst_rows(named: NamedFindings) -> list[tuple[Cell | str, ...]]:
    rows: list[tuple[Cell | str, ...]] = []
    axes = dict.fromkeys(axis.axis for _, one in named for axis in one.axes)
    for name in axes:
        rows += [
            _row(
                f"Strangers of one group by {name}, FMR",
                named,
                partial(_same_group_cell, axis_name=name),
            ),
            _row(
                f"Worst group by {name}, FMR within it",
                named,
                partial(_worst_cell, axis_name=name, rate_name="fmr"),
            ),
            _row(
                f"Worst group by {name}, FNMR",
                named,
                partial(_worst_cell, axis_name=name, rate_name="fnmr"),
            ),
        ]
    return rows


def _same_group_cell(one: Findings, axis_name: str) -> Cell | None:
    axis = next((axis for axis in one.axes if axis.axis == axis_name), None)
    return None if axis is None or axis.same_group is None else rate_cell(axis.same_group, small)


def _worst_cell(one: Findings, axis_name: str, rate_name: str) -> Cell | None:
    """Name the worst group of an axis with its rate, where the data can say."""
    axis = next((axis for axis in one.axes if axis.axis == axis_name), None)
    if axis is None:
        return None
    worst = axis.worst_fmr if rate_name == "fmr" else axis.worst_fnmr
    group = next((group for group in axis.groups if group.group == worst), None)
    if group is None:
        return None
    rate = group.fmr if rate_name == "fmr" else group.fnmr
    cell = rate_cell(rate, small if rate_name == "fmr" else percent)
    return Cell(f"{group.group}: {cell.text}", cell.detail, cell.note, cell.tone)


def _differences(differences: Sequence[Difference], named: NamedFindings) -> Table:
    names = [name for name, _ in named] if len(named) == 2 else ["A", "B"]
    return Table(
        "Differences of the two systems, on the same trials",
        ("Figure", *names, "B less A", "p"),
        tuple(
            (
                one.figure,
                estimate_cell(one.a, _form_of(one.figure)),
                estimate_cell(one.b, _form_of(one.figure)),
                estimate_cell(one.difference, _form_of_difference(one.figure)),
                UNKNOWN if one.p_value is None else _p(one.p_value),
            )
            for one in differences
        ),
        note="Paired test, two-sided, by resampling people. A small p says that so large a"
        " difference is rarely chance; it does not say that the difference matters.",
    )


def _form_of(figure: str) -> Form:
    """Choose how to write a figure by its name: FMRs may be very small, others are percent."""
    what = figure.partition(" at ")[0]
    if re.search(r"\b(FMR|GFAR)\b", what):
        return small
    if re.search(r"(?i)threshold|ratio|gini|max/|cllr", what):
        return number
    return percent


def _form_of_difference(figure: str) -> Form:
    form = _form_of(figure)
    return signed(points if form is percent else form)


def _p(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.2g}"
