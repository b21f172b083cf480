"""What a report says of groups: failures, scores, error rates, times and yield, the worst first."""

from collections.abc import Sequence

from likeness.reports.blocks import Block, Cell, Columns, Heading, Table, Text
from likeness.reports.data_blocks import left_out
from likeness.reports.matrix_plot import matrix_plot
from likeness.reports.plots import group_scores_plot, yield_plot
from likeness.reports.wording import (
    NOTHING,
    UNKNOWN,
    estimate_cell,
    in_line,
    number,
    people,
    percent,
    rate_cell,
    score,
    seconds,
    several,
    signed,
    small,
)
from likeness.service.evaluate.findings import AxisFindings, Findings, GroupFindings, Matrix, Rate

_MOST_CELLS = 15
_MOST_GROUPS = 150
_MOST_DRAWN = 24
# A longer table of failures is closed at first: what follows it matters more.
_MOST_OPEN = 12


def failures_by_group(one: Findings) -> list[Block]:
    """Show failures to acquire and to enrol, of all and by group."""
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
                folded=len(groups) > _MOST_OPEN,
            )
        )
    blocks.append(
        Text("A picture that fails is a trial: it counts as a false non-match or a missed search.")
    )
    return blocks


def score_shifts(one: Findings) -> list[Block]:
    """Show how the scores of each group lie."""
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


def rates_by_group(one: Findings) -> list[Block]:
    """Show error rates by group, across groups, and how uneven they are."""
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
    target = point.target_fmr
    at = "given" if target is None else f"set for FMR {small(target)} over all pairs"
    said = [f"One threshold for everybody: {in_line(point.threshold, score)}, {at}."]
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
    return Cell(group.group, f"{people(group.subjects)}; {several(group.images, 'picture')}")


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
    garbe = in_line(axis.garbe, number)
    fdr = in_line(axis.fdr, number)
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


def times_by_group(one: Findings) -> list[Block]:
    """Show how long answers took."""
    blocks: list[Block] = []
    if one.seconds.value is not None:
        blocks.append(Text(f"Median answer to a picture: {in_line(one.seconds, seconds)}."))
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


def label_blocks(one: Findings) -> list[Block]:
    """Say what groups are, and who said so."""
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


def yields_by_group(one: Findings) -> list[Block]:
    """Show what each threshold loses and evens out, by axis."""
    blocks: list[Block] = []
    for axis in one.axes:
        if axis.yields:
            table: tuple[Block, ...] = (_yield_table(axis),)
            if len([point for point in axis.yields if point.yield_lost is not None]) > 1:
                blocks.append(Columns(((yield_plot(axis.yields, axis.axis),), table)))
            else:
                blocks += table
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
            "Yield lost, points",
        ),
        tuple(
            (
                score(point.threshold),
                small(point.fmr),
                Cell(small(point.worst_fmr), point.worst_group),
                UNKNOWN if point.max_over_geomean is None else number(point.max_over_geomean),
                UNKNOWN if point.true_positives is None else percent(point.true_positives),
                UNKNOWN if point.yield_lost is None else number(100 * point.yield_lost),
            )
            for point in axis.yields
        ),
        note="A higher threshold lowers the worst group's FMR, and loses true positives.",
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
