"""What a report says of everybody: rates of comparisons and searches, and what scores mean."""

from dataclasses import replace

from likeness.reports.blocks import Block, Cell, Columns, Facts, Heading, Items, Table, Text
from likeness.reports.headline import NamedFindings
from likeness.reports.plots import (
    det_plots,
    error_plot,
    histogram_plot,
    hit_rate_plot,
    likelihood_plot,
    tradeoff_plot,
)
from likeness.reports.wording import (
    NOTHING,
    estimate_cell,
    in_line,
    number,
    percent,
    rate_cell,
    score,
    small,
)
from likeness.service.evaluate.findings import (
    CalibrationFindings,
    Identification,
    OperatingRates,
    SearchRates,
    Verification,
)
from likeness.terms import one_in


def comparison_blocks(named: NamedFindings) -> tuple[Block, ...]:
    """Show error rates of comparisons, of one system or two."""
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
                f" Equal error rate: {in_line(one.equal_error, percent)}.{_by_folds(one)}"
            ),
            points_table(one),
            Columns(((error_plot(one, name),), (histogram_plot(one.histogram, name),))),
        ]
    return tuple(blocks)


def _by_folds(one: Verification) -> str:
    if one.fold_accuracy is None:
        return ""
    return f" Accuracy by folds: {in_line(one.fold_accuracy, percent)}. {one.fold_accuracy.note}"


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


def search_blocks(named: NamedFindings) -> tuple[Block, ...]:
    """Show error rates of searches, of one system or two."""
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
    each = [_search_blocks(name, one) for name, one in plotted]
    return (*blocks, *(each[0] if len(each) == 1 else [Columns(tuple(each))]))


def _search_blocks(name: str, one: Identification) -> tuple[Block, ...]:
    return (
        *([Heading(name)] if name else []),
        Text(
            f"A gallery of {one.gallery:,} references of {one.enrolled:,} people, candidate"
            f" lists of {one.depth}. {one.mated:,} searches for somebody enrolled, and"
            f" {one.nonmated:,} for somebody who is not."
        ),
        *([search_table(one)] if one.headline or one.points else []),
        *([_hit_table(one)] if one.hit_rates else []),
    )


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


def calibration_blocks(one: CalibrationFindings) -> list[Block]:
    """Show what scores mean: thresholds for rates, and likelihood ratios."""
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
                    ("Cllr", in_line(ratios.cllr, number)),
                    ("Cllr_min", in_line(ratios.cllr_min, number)),
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
