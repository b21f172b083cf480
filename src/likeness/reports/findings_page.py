"""The page of a report: one system's findings, or those of two side by side.

Order and content follow the list of ISO/IEC 19795-10:2024, behind NIST's headline points: failures
by group, score shifts, error rates, response times, labels (its phenotype measures), uncertainty,
operational thresholds, the statement of equitability and use in procurement.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from likeness.reports.blocks import (
    Block,
    Cell,
    Columns,
    Facts,
    Heading,
    Items,
    Page,
    Section,
    Table,
    Text,
)
from likeness.reports.data_blocks import (
    facts_of,
    left_out,
    problems_of,
    suspicions_of,
    system_words,
)
from likeness.reports.pages import write_page
from likeness.reports.plots import (
    det_plots,
    error_plot,
    group_scores_plot,
    histogram_plot,
    hit_rate_plot,
    likelihood_plot,
    matrix_plot,
    tradeoff_plot,
    yield_plot,
)
from likeness.reports.wording import (
    NOTHING,
    RULE_OF_30,
    UNKNOWN,
    Form,
    estimate_cell,
    interval,
    minute,
    number,
    one_in,
    percent,
    points,
    rate_cell,
    score,
    seconds,
    signed,
    small,
)
from likeness.service.evaluate.findings import (
    AxisFindings,
    CalibrationFindings,
    Difference,
    Estimate,
    Findings,
    GroupFindings,
    Identification,
    Matrix,
    OperatingRates,
    Rate,
    Report,
    SearchRates,
    Verification,
)

_MOST_CELLS = 15
_MOST_GROUPS = 150
_MOST_DRAWN = 24

Named = tuple[tuple[str, Findings], ...]


def write_html(report: Report) -> bytes:
    """Give a report as one HTML page that needs nothing else."""
    return write_page(findings_page(report))


def findings_page(report: Report) -> Page:
    """Give the page of a report, not yet as HTML."""
    named = named_findings(report)
    sections = (
        Section("In short", summary_blocks(report)),
        Section("What was tested", _for_each(named, _tested)),
        Section("Failures to acquire and to enrol", _for_each(named, _failures)),
        Section("Scores by group", _for_each(named, _shifts)),
        Section("Error rates: comparisons (1:1)", _comparisons(named)),
        Section("Error rates: groups", _for_each(named, _groups)),
        Section("Error rates: searches (1:N)", _searches(named)),
        Section("Response times", _for_each(named, _times)),
        Section("Labels, and phenotype measures", _for_each(named, _labels)),
        Section("Uncertainty, and what the data cannot support", _uncertainty(named)),
        Section("Thresholds in operation", _for_each(named, _thresholds)),
        Section("Equitability, and use in procurement", _equitability(report)),
        Section("What is wrong with the data", _for_each(named, _problems)),
        Section("How this was made", _method(report)),
    )
    return Page(
        report.title,
        (
            *(f"{name}: {system_words(one.system)}, on {one.data.name}" for name, one in named),
            f"{minute(report.made_at)}, by {report.made_by}",
        ),
        tuple(section for section in sections if section.blocks),
        (
            f"Format {report.schema}. The same figures, not rounded, are in the report's JSON.",
            "Made without any request to elsewhere; this page makes none either.",
        ),
    )


def named_findings(report: Report) -> Named:
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


def _for_each(named: Named, blocks_of: Callable[[Findings], Sequence[Block]]) -> tuple[Block, ...]:
    """Give the blocks of the only system, or those of each beside each other."""
    made = [(name, tuple(blocks_of(one))) for name, one in named]
    if len(made) == 1:
        return made[0][1]
    if not any(blocks for _, blocks in made):
        return ()
    return (
        Columns(
            tuple((Heading(name), *(blocks or (Text("Not measured."),))) for name, blocks in made)
        ),
    )


def _row(
    what: str, named: Named, cell_of: Callable[[Findings], Cell | None]
) -> tuple[Cell | str, ...]:
    cells = [cell_of(one) for _, one in named]
    if not any(cells):
        return ()
    return (what, *(cell or Cell(NOTHING) for cell in cells))


def _headline_rows(named: Named) -> list[tuple[Cell | str, ...]]:
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


def _carried_cell(verification: Verification) -> Cell | None:
    """Give the rates of the lowest target that is known, and has 30 errors or most of all."""
    known = [
        point
        for point in verification.points
        if point.fnmr.value is not None and point.target_fmr is not None and point.fmr.value
    ]
    if not known:
        return None
    counted = [point for point in known if point.fmr.errors >= RULE_OF_30] or known
    lowest = min(counted, key=lambda point: point.target_fmr or 1.0)
    cell = rate_cell(lowest.fnmr)
    at = f"FMR {small(lowest.target_fmr or 1.0)}"
    return Cell(f"{cell.text} at {at}", cell.detail, cell.note, cell.tone)


def _worst_rows(named: Named) -> list[tuple[Cell | str, ...]]:
    rows: list[tuple[Cell | str, ...]] = []
    axes = dict.fromkeys(axis.axis for _, one in named for axis in one.axes)
    for name in axes:
        rows += [
            _row(
                f"Strangers of one group by {name}, FMR",
                named,
                lambda one, name=name: _same_group_cell(one, name),  # type: ignore[misc]
            ),
            _row(
                f"Worst group by {name}, FMR within it",
                named,
                lambda one, name=name: _worst_cell(one, name, "fmr"),  # type: ignore[misc]
            ),
            _row(
                f"Worst group by {name}, FNMR",
                named,
                lambda one, name=name: _worst_cell(one, name, "fnmr"),  # type: ignore[misc]
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


def _differences(differences: Sequence[Difference], named: Named) -> Table:
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


def _tested(one: Findings) -> list[Block]:
    return [facts_of(one.system, one.data)]


def _failures(one: Findings) -> list[Block]:
    failures = one.failures
    blocks: list[Block] = [
        Table(
            "All pictures and people",
            ("", "Rate"),
            (
                (
                    Cell("Failure to acquire", "pictures without a template"),
                    rate_cell(failures.fta),
                ),
                (
                    Cell("Failure to enrol", "people none of whose pictures has one"),
                    rate_cell(failures.fte),
                ),
            ),
        )
    ]
    if failures.reasons:
        blocks.append(
            Table(
                "Reasons",
                ("Reason", "Pictures"),
                tuple((reason, f"{count:,}") for reason, count in failures.reasons),
            )
        )
    for axis in one.axes:
        groups = sorted(axis.groups, key=lambda group: _badness(group.fta), reverse=True)
        worst = _worst_of([group.fta for group in groups])
        blocks.append(
            Table(
                f"Failures by {axis.axis}, most first",
                ("Group", "Failure to acquire", "Failure to enrol"),
                tuple(
                    (
                        _group_name(group),
                        rate_cell(group.fta, worst=group.fta is worst),
                        rate_cell(group.fte),
                    )
                    for group in groups[:_MOST_GROUPS]
                ),
                note=left_out(len(groups), _MOST_GROUPS, "groups"),
            )
        )
    blocks.append(
        Text("A picture that fails is a trial: it counts as a false non-match or a missed search.")
    )
    return blocks


def _shifts(one: Findings) -> list[Block]:
    blocks: list[Block] = []
    for axis in one.axes:
        groups = [group for group in axis.groups if group.mated_scores or group.nonmated_scores]
        if groups:
            groups.sort(key=lambda group: -(group.nonmated_shift.value or 0.0))
            table = _shift_table(axis, groups)
            if len(groups) <= _MOST_DRAWN:
                blocks.append(Columns(((table,), (group_scores_plot(axis),))))
            else:
                blocks.append(table)
    return blocks


def _shift_table(axis: AxisFindings, groups: Sequence[GroupFindings]) -> Table:
    return Table(
        f"Scores by {axis.axis}, strangers who look most alike first",
        ("Group", "Two people: median", "shift", "One person: median", "shift"),
        tuple(
            (
                group.group,
                _median(group.nonmated_scores),
                estimate_cell(group.nonmated_shift, signed(number)),
                _median(group.mated_scores),
                estimate_cell(group.mated_shift, signed(number)),
            )
            for group in groups[:_MOST_GROUPS]
        ),
        note="Below each median the 5% and 95% quantiles; a shift is the median of the group less"
        " that of all." + left_out(len(groups), _MOST_GROUPS, "groups"),
    )


def _median(quantiles: tuple[float, ...]) -> Cell:
    if len(quantiles) != 5:
        return Cell(NOTHING)
    return Cell(number(quantiles[2]), f"{number(quantiles[0])} to {number(quantiles[4])}")


def _comparisons(named: Named) -> tuple[Block, ...]:
    verified = [(name, one.verification) for name, one in named if one.verification]
    if not verified:
        return ()
    plotted = [(name if len(named) > 1 else "", one) for name, one in verified]
    blocks: list[Block] = [Columns(tuple((plot,) for plot in det_plots(plotted)))]
    for name, one in plotted:
        blocks += [
            *([Heading(name)] if name else []),
            Text(
                f"{one.mated:,} comparisons of one person and {one.nonmated:,} of two."
                f" Equal error rate: {_in_line(one.equal_error, percent)}."
            ),
            points_table(one),
            Columns(((error_plot(one, name),), (histogram_plot(one.histogram, name),))),
        ]
    return tuple(blocks)


def brief_points_table(one: Verification) -> Table:
    """Give the error rates by threshold that are known, without those that count failures."""
    return Table(
        "Error rates by threshold",
        ("For FMR", "Threshold", "FMR", "FNMR"),
        tuple(
            (
                _target(point),
                estimate_cell(point.threshold, score),
                rate_cell(point.fmr, small),
                rate_cell(point.fnmr),
            )
            for point in one.points
            if point.fmr.value is not None
        ),
        note="FMR: two people who match. FNMR: one person who does not, failures counted.",
    )


def points_table(one: Verification) -> Table:
    """Give error rates by threshold, the headline first."""
    shown = [one.headline, *(point for point in one.points if point != one.headline)]
    similarity = any(point.similarity is not None for point in shown)
    return Table(
        "Error rates by threshold, NIST's headline first",
        (
            "For FMR",
            "Threshold",
            *(["Similarity"] if similarity else []),
            "FMR",
            "FNMR",
            "FNMR without failures",
            "GFAR",
            "GFRR",
        ),
        tuple(
            (
                _target(point),
                estimate_cell(point.threshold, score),
                *(
                    [NOTHING if point.similarity is None else f"{point.similarity:.4g}"]
                    if similarity
                    else []
                ),
                rate_cell(point.fmr, small),
                rate_cell(point.fnmr),
                rate_cell(point.fnmr_without_failures),
                estimate_cell(point.gfar, small),
                estimate_cell(point.gfrr, percent),
            )
            for point in shown
        ),
        note="FMR: two people who match. FNMR: one person who does not, failures counted. GFAR and"
        " GFRR: the same with failures to acquire and enrol, as ISO/IEC 19795-1 has them. In grey"
        " italics: fewer than 30 errors.",
    )


def _target(point: OperatingRates) -> Cell:
    if point.target_fmr is None:
        return Cell("given")
    return Cell(small(point.target_fmr), one_in(point.target_fmr))


def _in_line(estimate: Estimate, form: Form) -> str:
    if estimate.value is None:
        return f"{UNKNOWN} ({estimate.note})" if estimate.note else UNKNOWN
    ends = interval(estimate.low, estimate.high, form)
    return form(estimate.value) + (f" ({ends})" if ends else "")


def _groups(one: Findings) -> list[Block]:
    blocks: list[Block] = []
    for axis in one.axes:
        blocks += [
            Heading(f"By {axis.axis}"),
            *(Text(warning, warning=True) for warning in axis.warnings),
            Text(_axis_in_words(axis)),
            group_table(axis),
        ]
        if axis.matrix and len(axis.matrix.labels) > 1:
            blocks += [
                matrix_plot(axis.matrix, _matrix_target(axis), axis.axis),
                _worst_cells(axis.matrix),
            ]
        if axis.inequity:
            blocks.append(_inequity(axis))
    return blocks


def _axis_in_words(axis: AxisFindings) -> str:
    point = axis.point
    at = "a given threshold" if point.target_fmr is None else f"FMR {small(point.target_fmr)}"
    said = [
        f"One threshold for everybody: {_in_line(point.threshold, score)}, set for {at} over all"
        " pairs."
    ]
    for rate, worst, best in (
        ("FMR", axis.worst_fmr, axis.best_fmr),
        ("FNMR", axis.worst_fnmr, axis.best_fnmr),
    ):
        if worst and best and worst != best:
            said.append(f"{rate} is worst for {worst} and best for {best}.")
    if axis.same_group and axis.same_group.value is not None:
        cell = rate_cell(axis.same_group, small)
        said.append(
            f"Strangers of one group match at FMR {cell.text} ({cell.detail}); pairs of any"
            " strangers flatter."
        )
    if axis.unlabelled:
        said.append(f"{axis.unlabelled:,} pictures have no label here and count in no group.")
    return " ".join(said)


def group_table(axis: AxisFindings) -> Table:
    """Give the error rates of all groups of an axis, the worst first."""
    groups = sorted(
        axis.groups, key=lambda group: (_badness(group.fmr), _badness(group.fnmr)), reverse=True
    )
    return Table(
        f"Error rates by {axis.axis}, worst FMR first",
        ("Group", "FMR within the group", "FNMR"),
        tuple(_group_row(group, axis) for group in groups[:_MOST_GROUPS]),
        note="FMR within the group: two people of it who match."
        + left_out(len(groups), _MOST_GROUPS, "groups"),
    )


def _group_row(group: GroupFindings, axis: AxisFindings) -> tuple[Cell | str, ...]:
    return (
        _group_name(group),
        rate_cell(group.fmr, small, worst=group.group == axis.worst_fmr),
        rate_cell(group.fnmr, worst=group.group == axis.worst_fnmr),
    )


def _group_name(group: GroupFindings) -> Cell:
    return Cell(group.group, f"{group.subjects:,} people; {group.images:,} pictures")


def _matrix_target(axis: AxisFindings) -> float:
    """Give the rate at which the heat map is neutral: the target, or what all pairs have."""
    return axis.point.target_fmr or axis.point.fmr.value or 1e-3


def _worst_cells(matrix: Matrix) -> Table:
    cells = [
        (rate, reference, probe)
        for reference, row in zip(matrix.labels, matrix.rates, strict=True)
        for probe, rate in zip(matrix.labels, row, strict=True)
    ]
    cells.sort(key=lambda cell: _badness(cell[0]), reverse=True)
    return Table(
        f"The {min(_MOST_CELLS, len(cells))} worst of {len(cells):,} cells",
        ("Reference", "Probe", "FMR"),
        tuple(
            (reference, probe, rate_cell(rate, small))
            for rate, reference, probe in cells[:_MOST_CELLS]
        ),
        folded=True,
    )


def _inequity(axis: AxisFindings) -> Table:
    garbe = _in_line(axis.garbe, number)
    fdr = _in_line(axis.fdr, number)
    return Table(
        f"How uneven, by {axis.axis} (the columns of NISTIR 8429)",
        (
            "Rate",
            "Max/Min",
            "Max-Min",
            "Max/Mean",
            "Max/GeoMean",
            "GeoMean variation",
            "Gini",
        ),
        tuple(
            (
                row.rate,
                estimate_cell(row.max_over_min),
                estimate_cell(row.max_minus_min, small),
                estimate_cell(row.max_over_mean),
                estimate_cell(row.max_over_geomean),
                estimate_cell(row.geomean_variation),
                estimate_cell(row.gini),
            )
            for row in axis.inequity
        ),
        note=f"1 is even for ratios, 0 for the others. GARBE: {garbe}. FDR: {fdr}; it is near 1"
        " at any low FMR, so read the ratios first.",
    )


def _searches(named: Named) -> tuple[Block, ...]:
    searched = [(name, one.identification) for name, one in named if one.identification]
    if not searched:
        return ()
    plotted = [(name if len(named) > 1 else "", one) for name, one in searched]
    plots = []
    if any(one.hit_rates for _, one in plotted):
        plots.append((hit_rate_plot(plotted),))
    if any(one.tradeoff.xs for _, one in plotted):
        plots.append((tradeoff_plot(plotted),))
    blocks: list[Block] = [Columns(tuple(plots))] if plots else []
    for name, one in plotted:
        blocks += [
            *([Heading(name)] if name else []),
            Text(
                f"A gallery of {one.gallery:,} references of {one.enrolled:,} people, candidate"
                f" lists of {one.depth}. {one.mated:,} searches for somebody enrolled, and"
                f" {one.nonmated:,} for somebody who is not."
            ),
            *([search_table(one)] if one.headline or one.points else []),
            *([_hit_table(one)] if one.hit_rates else []),
        ]
    return tuple(blocks)


def search_table(one: Identification) -> Table:
    """Give the rates of searches by threshold, the headline first."""
    shown: list[SearchRates] = [*([one.headline] if one.headline else [])]
    shown += [point for point in one.points if point != one.headline]
    return Table(
        f"Searches of a gallery of {one.gallery:,}, NIST's headline first",
        ("For FPIR", "Threshold", "FPIR", "FNIR"),
        tuple(
            (
                "given" if point.target_fpir is None else percent(point.target_fpir),
                estimate_cell(point.threshold, score),
                rate_cell(point.fpir),
                rate_cell(point.fnir),
            )
            for point in shown
        ),
        note="FPIR: searches for strangers that name somebody. FNIR: searches that miss the person"
        f" who is enrolled, outside the first {one.depth} or below the threshold.",
    )


def _hit_table(one: Identification) -> Table:
    ranks = [rank for rank in (1, 2, 5, 10, 20, 50, 100) if rank <= len(one.hit_rates)]
    return Table(
        "Hit rates by rank",
        ("Rank", "Mate within it"),
        tuple((str(rank), rate_cell(one.hit_rates[rank - 1])) for rank in ranks),
    )


def _times(one: Findings) -> list[Block]:
    blocks: list[Block] = []
    if one.seconds.value is not None:
        blocks.append(Text(f"Median answer to a picture: {_in_line(one.seconds, seconds)}."))
    elif one.seconds.note:
        blocks.append(Text(one.seconds.note))
    tables: list[tuple[Block, ...]] = []
    for axis in one.axes:
        groups = [group for group in axis.groups if group.seconds.value is not None]
        if groups:
            groups.sort(key=lambda group: -(group.seconds.value or 0.0))
            rows = tuple(
                (group.group, estimate_cell(group.seconds, seconds))
                for group in groups[:_MOST_GROUPS]
            )
            tables.append(
                (Table(f"Median answer by {axis.axis}, slowest first", ("Group", "Time"), rows),)
            )
    return [*blocks, *([Columns(tuple(tables))] if tables else [])]


def _labels(one: Findings) -> list[Block]:
    if not one.axes:
        return []
    return [
        Text(
            "Groups are what the data's labels say; nothing was guessed from a picture, and no"
            " phenotype (such as the skin's lightness) was measured beside them."
            f" Labelled by: {one.data.labelled_by or 'nobody says'}."
        ),
        Table(
            "Labels",
            ("Column", "Groups", "Pictures with a label", "without"),
            tuple(
                (
                    axis.axis,
                    f"{len(axis.groups):,}",
                    f"{sum(group.images for group in axis.groups):,}",
                    f"{axis.unlabelled:,}",
                )
                for axis in one.axes
            ),
        ),
    ]


def _uncertainty(named: Named) -> tuple[Block, ...]:
    rules = Text(
        "Intervals are 95%, by resampling people with their pictures; the threshold is set anew in"
        " each resample. Where no error was seen, the rule of 3 bounds the rate by 3 over the"
        " number of independent trials. With fewer than 30 errors (rule of 30) a rate is known to"
        " no better than about 30%, and is set in grey italics."
    )
    limits = _for_each(named, lambda one: [Items(one.limits)] if one.limits else [])
    return (rules, *limits)


def _thresholds(one: Findings) -> list[Block]:
    blocks: list[Block] = []
    for axis in one.axes:
        if axis.yields:
            table: tuple[Block, ...] = (_yield_table(axis),)
            if len([point for point in axis.yields if point.yield_lost is not None]) > 1:
                blocks.append(Columns(((yield_plot(axis.yields, axis.axis),), table)))
            else:
                blocks += table
    if one.calibration:
        blocks += _calibration(one.calibration)
    return blocks


def _yield_table(axis: AxisFindings) -> Table:
    return Table(
        f"Yield lost beside evenness gained, by {axis.axis}",
        (
            "Threshold",
            "FMR, all pairs",
            "FMR, worst group",
            "Max/GeoMean",
            "True positives",
            "Yield lost",
        ),
        tuple(
            (
                score(point.threshold),
                small(point.fmr),
                Cell(small(point.worst_fmr), point.worst_group),
                UNKNOWN if point.max_over_geomean is None else number(point.max_over_geomean),
                UNKNOWN if point.true_positives is None else percent(point.true_positives),
                UNKNOWN if point.yield_lost is None else points(point.yield_lost),
            )
            for point in axis.yields
        ),
        note="A higher threshold lowers the worst group's FMR, and loses true positives.",
    )


def _calibration(one: CalibrationFindings) -> list[Block]:
    blocks: list[Block] = [Items(one.limits)] if one.limits else []
    if one.thresholds:
        blocks.append(
            Table(
                "Thresholds for a wanted rate",
                ("Compared with", "Wanted rate", "Threshold"),
                tuple(
                    (
                        "one person" if row.gallery == 1 else f"a gallery of {row.gallery:,}",
                        small(row.target),
                        estimate_cell(
                            replace(row.threshold, note=row.threshold.note or row.note), score
                        ),
                    )
                    for row in one.thresholds
                ),
            )
        )
    if one.likelihood_ratios:
        ratios = one.likelihood_ratios
        if len(ratios.knots) > 1:
            blocks.append(likelihood_plot(ratios))
        blocks.append(
            Facts(
                (
                    ("Method", ratios.method),
                    ("Cllr", _in_line(ratios.cllr, number)),
                    ("Cllr_min", _in_line(ratios.cllr_min, number)),
                    (
                        "log10 LR between",
                        f"{number(ratios.least_log10)} and {number(ratios.most_log10)}: these data"
                        " carry no more",
                    ),
                )
            )
        )
    if one.scores:
        blocks.append(
            Table(
                "How often two people reach a score",
                ("Score", "FMR"),
                tuple(
                    (score(at), small(fmr)) for at, fmr in zip(one.scores, one.fmrs, strict=False)
                ),
                folded=True,
            )
        )
    return blocks


def _equitability(report: Report) -> tuple[Block, ...]:
    return (
        *((Items(report.equitability),) if report.equitability else ()),
        Text(
            "For a buyer: ask for these figures on data like your own, at the threshold that you"
            " would use, and read the worst group first. A system that was even here may be uneven"
            " on other people, other cameras and in larger galleries. A figure that is not known"
            " here is not good news."
        ),
    )


def _problems(one: Findings) -> list[Block]:
    found: list[Block] = [*suspicions_of(one.suspicions), *problems_of(one.problems)]
    return found or [Text("Nothing was found.")]


def _method(report: Report) -> tuple[Block, ...]:
    return (
        Facts(
            (
                ("Made", f"{minute(report.made_at)} by {report.made_by}"),
                ("Processor", report.processor),
                *report.method.items(),
            )
        ),
    )


def _badness(rate: Rate) -> tuple[float, float]:
    """Order rates: by value; one without errors by what bounds it, the unknown last."""
    if rate.value is None:
        return -1.0, 0.0
    return rate.value, rate.high or 0.0


def _worst_of(rates: Sequence[Rate]) -> Rate | None:
    """Give the highest of several rates that were seen at all."""
    seen = [rate for rate in rates if rate.value]
    return max(seen, key=_badness) if len(seen) > 1 else None
