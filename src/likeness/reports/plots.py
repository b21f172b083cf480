"""The plots of an evaluation, each drawn of one value of the findings."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from likeness.evaluation import VERBAL_SCALE
from likeness.reports.blocks import Plot
from likeness.reports.drawing import Ink, draw
from likeness.reports.wording import (
    RULE_OF_30,
    number,
    percent,
    printable,
    score,
    small,
)
from likeness.service.evaluate.findings import (
    AxisFindings,
    Curve,
    Histogram,
    Identification,
    LikelihoodRatios,
    Matrix,
    Rate,
    Verification,
    YieldPoint,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Named = Sequence[tuple[str, "Curve"]]

_INKS = (Ink.FIRST, Ink.SECOND)
_DASHES = ("-", (0, (5, 1.5)))
_MOST_POINTS = 300
_MOST_GROUPS = 32
_MOST_GROUPS_WITH_COUNTS = 12
_LONGEST_LABEL = 24
_DECADES_OF_COLOUR = 3.0
# From far below the target to far above: blue, neutral, red. Letters on them are dark.
_HEAT = (
    *("#7fa8d6", "#94b6dd", "#a9c5e4", "#bfd3eb", "#d5e2f1"),
    "#efefec",
    *("#f9ddd0", "#f5c4ae", "#efa98c", "#e88e6c", "#df724f"),
)
_ON_HEAT = "#1b1d21"
_NO_DATA = "none"
_DEVIATES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)


def det_plots(verifications: Sequence[tuple[str, Verification]]) -> tuple[Plot, Plot]:
    """Draw FNMR over FMR of one system or two, on log axes and on normal-deviate axes.

    A dotted line is where the rule of 30 ends: beyond it fewer than 30 errors were seen.
    """
    curves = [(name, _thinned(one.det)) for name, one in verifications]
    fewest = min((one.nonmated for _, one in verifications), default=0)
    fewest_mated = min((one.mated for _, one in verifications), default=0)

    def on_logs(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        _small_ticks(axes, "xy")
        _curves(axes, curves, positive=True)
        _mark_limit(axes, fewest, fewest_mated, lambda rate: rate)
        _keep_to_counted(axes, curves, fewest, fewest_mated)
        _more_ticks(axes)

    def on_deviates(axes: "Axes") -> None:
        warped = [(name, _deviated(curve)) for name, curve in curves]
        _curves(axes, warped)
        _mark_limit(axes, fewest, fewest_mated, _deviate)
        places = [_deviate(rate) for rate in _DEVIATES]
        axes.set_xticks(places, [_tick(rate) for rate in _DEVIATES], rotation=45, ha="right")
        axes.set_yticks(places, [_tick(rate) for rate in _DEVIATES])
        _limits_of_deviates(axes, warped)

    def labelled(paint: Callable[["Axes"], None]) -> Callable[["Axes"], None]:
        def both(axes: "Axes") -> None:
            paint(axes)
            axes.set_xlabel("false match rate (FMR)")
            axes.set_ylabel("false non-match rate (FNMR)")
            _legend(axes, curves)

        return both

    told = "; ".join(_told(name, curve) for name, curve in curves)
    limit = "Beyond the dotted lines fewer than 30 errors were seen."
    return (
        draw(
            labelled(on_logs),
            title="Detection error trade-off, log axes",
            description=told,
            caption=f"Detection error trade-off on log axes (lower is better). {limit}",
        ),
        draw(
            labelled(on_deviates),
            title="Detection error trade-off, normal-deviate axes",
            description=told,
            caption="The same on normal-deviate axes: scores that spread as bells do give a line.",
        ),
    )


def error_plot(verification: Verification, name: str = "") -> Plot:
    """Draw FMR and FNMR against the threshold, with the thresholds of the points."""
    fmr = _thinned(verification.fmr_by_threshold)
    fnmr = _thinned(verification.fnmr_by_threshold)

    def paint(axes: "Axes") -> None:
        axes.set_yscale("log")
        _small_ticks(axes, "y")
        for label, curve, ink, dash in (
            ("FMR", fmr, Ink.NONMATED, "-"),
            ("FNMR", fnmr, Ink.MATED, _DASHES[1]),
        ):
            _curve(axes, curve, label=label, ink=ink, dash=dash, positive=True)
        for point in verification.points:
            if point.threshold.value is not None:
                axes.axvline(point.threshold.value, color=Ink.LINE, linewidth=0.8, linestyle=":")
        rates = [y for curve in (fmr, fnmr) for y in curve.ys if y > 0]
        fewest = max(verification.mated, verification.nonmated, 1)
        if rates:
            axes.set_ylim(max(min(rates), 1 / fewest) / 1.5, 1.3)
        axes.set_xlabel("threshold")
        axes.set_ylabel("share of comparisons")
        axes.legend()

    return draw(
        paint,
        title=_of("Errors against the threshold", name),
        description=f"FMR: {_told('', fmr)}; FNMR: {_told('', fnmr)}",
        caption=f"{_of('Errors against the threshold', name)}."
        " Dotted lines are the thresholds of the table.",
    )


def histogram_plot(histogram: Histogram, name: str = "") -> Plot:
    """Draw how mated and non-mated scores spread, each as shares of its own."""

    def paint(axes: "Axes") -> None:
        edges = np.asarray(histogram.edges, np.float64)
        for label, shares, ink in (
            ("two people", histogram.nonmated, Ink.NONMATED),
            ("one person", histogram.mated, Ink.MATED),
        ):
            if shares:
                axes.stairs(
                    np.asarray(shares), edges, fill=True, color=ink, alpha=0.25, label=label
                )
                axes.stairs(np.asarray(shares), edges, color=ink, linewidth=1.2)
        _percent_ticks(axes, "y")
        axes.set_xlabel("score")
        axes.set_ylabel("share of comparisons")
        if histogram.mated or histogram.nonmated:
            axes.legend()

    return draw(
        paint,
        title=_of("Scores of one person and of two", name),
        description=f"Shares of mated and non-mated scores in {len(histogram.mated)} bins.",
        height=250,
    )


def hit_rate_plot(identifications: Sequence[tuple[str, Identification]]) -> Plot:
    """Draw the cumulative match characteristic: hit rate by rank."""
    curves = [
        (
            name,
            Curve(
                tuple(float(rank + 1) for rank, rate in enumerate(one.hit_rates) if _known(rate)),
                tuple(rate.value for rate in one.hit_rates if rate.value is not None),
                tuple(rate.low or 0.0 for rate in one.hit_rates if _known(rate)),
                tuple(
                    1.0 if rate.high is None else rate.high
                    for rate in one.hit_rates
                    if _known(rate)
                ),
            ),
        )
        for name, one in identifications
    ]

    def paint(axes: "Axes") -> None:
        _curves(axes, curves)
        if max((len(curve.xs) for _, curve in curves), default=0) > 20:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        _percent_ticks(axes, "y")
        axes.set_xlabel("rank")
        axes.set_ylabel("mate within that rank")
        _legend(axes, curves)

    return draw(
        paint,
        title="Hit rate by rank (CMC)",
        description="; ".join(_told(name, curve) for name, curve in curves),
        caption="Hit rate by rank (CMC), whatever the score: investigation, where a person looks"
        " at each candidate.",
    )


def tradeoff_plot(identifications: Sequence[tuple[str, Identification]]) -> Plot:
    """Draw FNIR over FPIR on log axes."""
    curves = [(name, _thinned(one.tradeoff)) for name, one in identifications]

    def paint(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        _small_ticks(axes, "xy")
        _curves(axes, curves, positive=True)
        fewest = min((one.nonmated for _, one in identifications), default=0)
        fewest_mated = min((one.mated for _, one in identifications), default=0)
        _mark_limit(axes, fewest, fewest_mated)
        _keep_to_counted(axes, curves, fewest, fewest_mated)
        _more_ticks(axes)
        axes.set_xlabel("false positive identification rate (FPIR)")
        axes.set_ylabel("FNIR")
        _legend(axes, curves)

    return draw(
        paint,
        title="Missed mates against false alarms of searches",
        description="; ".join(_told(name, curve) for name, curve in curves),
        caption="Missed mates (FNIR) against false alarms (FPIR). Beyond the dotted lines fewer"
        " than 30 errors were seen.",
    )


def matrix_plot(matrix: Matrix, target: float, axis: str, name: str = "") -> Plot:
    """Draw the cross-group matrix: log10 FMR of references in rows with probes in columns.

    The colour is neutral at the target. A ring marks cells of fewer than 30 errors; cells without
    an error have counts alone.
    """
    kept = _most_compared(matrix)
    labels = [_short(matrix.labels[group]) for group in kept]
    rates = [[matrix.rates[row][column] for column in kept] for row in kept]
    size = len(kept)
    with_counts = size <= _MOST_GROUPS_WITH_COUNTS
    side = 52 if with_counts else 13
    margin = 6.2 * max(map(len, labels), default=0) + 24

    def paint(axes: "Axes") -> None:
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        axes.grid(False)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_aspect("equal")
        cells: list[Rectangle] = []
        rings: list[tuple[float, float]] = []
        for row, column in np.ndindex(size, size):
            rate = rates[row][column]
            corner = (column - 0.5, row - 0.5)
            cells.append(Rectangle(corner, 1, 1, facecolor=_heat(rate.value, target)))
            if 0 < rate.errors < RULE_OF_30:
                middle = (column + 0.36, row - 0.36) if with_counts else (column, row)
                rings.append(middle)
            if with_counts:
                _write_cell(axes, row, column, rate)
        filled = PatchCollection(cells, match_original=True)
        filled.set(edgecolor=Ink.PAPER, linewidth=0.8)
        filled.set_in_layout(False)
        axes.add_collection(filled, autolim=False)
        axes.scatter(
            [x for x, _ in rings],
            [y for _, y in rings],
            s=26 if with_counts else 12,
            c="none",
            edgecolors=_ON_HEAT,
            linewidths=0.8,
        )
        flat = with_counts and max(map(len, labels), default=0) * 5.5 < side
        axes.set_xticks(range(size), labels, rotation=0 if flat else 90)
        axes.set_yticks(range(size), labels)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("probe")
        axes.set_ylabel("reference")

    width = max(size * side + margin, 300)
    left_out = "" if size == len(matrix.labels) else f" The {size} groups with most comparisons."
    return draw(
        paint,
        title=_of(f"False match rates within and across groups: {printable(axis)}", name),
        description=f"Matrix of {size} by {size} groups; the table names its worst cells.",
        caption=f"log10 FMR of references (rows) with probes (columns); grey is the target"
        f" {small(target)}, red is above, blue below, each step"
        f" {number(2 * _DECADES_OF_COLOUR / (len(_HEAT) - 1))} decades."
        + (" Below it errors and comparisons." if with_counts else "")
        + f" A ring: fewer than 30 errors. Without colour: none seen.{left_out}",
        width=width,
        height=max(size * side + margin, 200),
        least_width=max(320, int(width * 0.85)),
    )


def group_scores_plot(axis: AxisFindings, name: str = "") -> Plot:
    """Draw how scores of each group spread, those of two people and of one, with the threshold."""
    shown = [group for group in axis.groups if group.nonmated_scores or group.mated_scores]
    shown.sort(key=lambda group: group.nonmated_shift.value or 0.0)

    def paint(axes: "Axes") -> None:
        for place, group in enumerate(shown):
            for scores, ink, below in (
                (group.nonmated_scores, Ink.NONMATED, 0.13),
                (group.mated_scores, Ink.MATED, -0.13),
            ):
                if len(scores) == 5:
                    at = [place + below] * 2
                    axes.plot([scores[0], scores[4]], at, color=ink, linewidth=1)
                    axes.plot([scores[1], scores[3]], at, color=ink, linewidth=4)
                    axes.plot([scores[2]], at[:1], "o", color=ink, markersize=5)
        if axis.point.threshold.value is not None:
            axes.axvline(axis.point.threshold.value, color=Ink.MUTED, linewidth=1, linestyle=":")
        axes.set_yticks(range(len(shown)), [_short(group.group) for group in shown])
        axes.set_ylim(-0.6, max(len(shown), 1) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("score")

    return draw(
        paint,
        title=_of(f"Scores by group: {printable(axis.axis)}", name),
        description="; ".join(
            f"{printable(group.group)}: {score(group.nonmated_scores[2])} of two people"
            for group in shown[::-1]
            if len(group.nonmated_scores) == 5
        ),
        caption="Scores of two people (upper lines) and of one (lower lines): median, middle half"
        " and middle 90%. Dotted: the threshold.",
        height=70 + 24 * len(shown),
    )


def likelihood_plot(ratios: LikelihoodRatios, name: str = "") -> Plot:
    """Draw log10 of the likelihood ratio by score, with ENFSI's verbal scale."""
    curve = _thinned(
        Curve(tuple(at for at, _ in ratios.knots), tuple(log for _, log in ratios.knots))
    )

    def paint(axes: "Axes") -> None:
        _curve(axes, curve, label="", ink=Ink.FIRST, dash="-")
        low, high = axes.get_ylim()
        left = axes.get_xlim()[0]
        for ratio, words in VERBAL_SCALE:
            begins = math.log10(ratio)
            if low < begins < high:
                axes.axhline(begins, color=Ink.LINE, linewidth=0.8, linestyle=":")
                axes.text(left, begins, f" {words}", color=Ink.MUTED, fontsize=8, va="bottom")
        axes.axhline(0, color=Ink.MUTED, linewidth=0.8)
        axes.set_xlabel("score")
        axes.set_ylabel("log10 likelihood ratio")

    return draw(
        paint,
        title=_of("Likelihood ratio by score", name),
        description=_told("", curve),
        caption=f"{_of('Likelihood ratio by score', name)}: above 0 it speaks for one person,"
        " below for two. The words are ENFSI's.",
    )


def yield_plot(yields: Sequence[YieldPoint], axis: str, name: str = "") -> Plot:
    """Draw yield lost beside evenness gained: FMR of all and of the worst group."""
    known = [point for point in yields if point.yield_lost is not None]

    def paint(axes: "Axes") -> None:
        lost = [point.yield_lost or 0.0 for point in known]
        axes.set_yscale("log")
        _small_ticks(axes, "y")
        for label, values, ink, dash in (
            ("worst group", [point.worst_fmr for point in known], Ink.SECOND, "-"),
            ("all pairs", [point.fmr for point in known], Ink.FIRST, _DASHES[1]),
        ):
            shown = [value if value > 0 else math.nan for value in values]
            axes.plot(lost, shown, color=ink, linestyle=dash, marker="o", markersize=3, label=label)
        _percent_ticks(axes, "x")
        axes.set_xlabel("true positives lost")
        axes.set_ylabel("false match rate")
        axes.legend()

    return draw(
        paint,
        title=_of(f"Yield lost beside evenness gained: {printable(axis)}", name),
        description="; ".join(
            f"at {score(point.threshold)} the worst group's FMR is {small(point.worst_fmr)}"
            f" and {percent(point.yield_lost or 0)} of true positives are lost"
            for point in known[:: max(len(known) // 5, 1)]
        ),
        caption=f"{_of(f'By {printable(axis)}', name)}: to the right the threshold"
        " rises, true positives are lost, and fewer strangers match.",
    )


def _write_cell(axes: "Axes", row: int, column: int, rate: Rate) -> None:
    if not rate.trials:
        return
    ink = _ON_HEAT if rate.value else Ink.MUTED
    lines = [(0.27, f"{_brief(rate.errors)}/{_brief(rate.trials)}", 7.5)]
    if rate.value:
        lines.append((-0.08, f"{math.log10(rate.value):.1f}", 10.5))
    for below, text, size in lines:
        written = axes.text(
            column, row + below, text, ha="center", va="center", color=ink, fontsize=size
        )
        written.set_in_layout(False)


def _brief(count: int) -> str:
    """Say a count in few letters: 940, 12k, 3.1M."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.{1 if count < 10 * size else 0}f}{letter}"
    return str(count)


def _heat(rate: float | None, target: float) -> str:
    """Choose a colour by how many decades a rate lies from the target."""
    if not rate or target <= 0:
        return _NO_DATA
    middle = len(_HEAT) // 2
    steps = round((math.log10(rate) - math.log10(target)) / _DECADES_OF_COLOUR * middle)
    return _HEAT[max(0, min(len(_HEAT) - 1, middle + steps))]


def _most_compared(matrix: Matrix) -> list[int]:
    """Number the groups to draw: all, or those with most comparisons where they are too many."""
    numbers = range(len(matrix.labels))
    if len(numbers) <= _MOST_GROUPS:
        return list(numbers)
    compared = [sum(rate.trials for rate in row) for row in matrix.rates]
    return sorted(sorted(numbers, key=lambda one: -compared[one])[:_MOST_GROUPS])


def _known(rate: object) -> bool:
    return getattr(rate, "value", None) is not None


def _of(what: str, name: str) -> str:
    return f"{what}, {printable(name)}" if name else what


def _short(label: str) -> str:
    """Cut a long label in its middle: crossed groups differ at their ends."""
    said, half = printable(label), _LONGEST_LABEL // 2
    return said if len(said) <= _LONGEST_LABEL else f"{said[:half]}…{said[-half:]}"


def _told(name: str, curve: Curve) -> str:
    """Say a few points of a curve to those who do not see it."""
    chosen = range(0, len(curve.xs), max(len(curve.xs) // 5, 1))
    points = ", ".join(f"{_in_few(curve.ys[at])} at {_in_few(curve.xs[at])}" for at in chosen)
    return f"{printable(name)}: {points}" if name else points


def _in_few(value: float) -> str:
    """Say a number that may be a rate or a score."""
    return small(value) if 0 <= value < 0.01 else score(value)


def _curves(axes: "Axes", curves: Named, *, positive: bool = False) -> None:
    for (name, curve), ink, dash in zip(curves, _INKS, _DASHES, strict=False):
        _curve(axes, curve, label=_short(name), ink=ink, dash=dash, positive=positive)


def _curve(
    axes: "Axes",
    curve: Curve,
    *,
    label: str,
    ink: str,
    dash: object,
    positive: bool = False,
) -> None:
    xs, ys = np.asarray(curve.xs, np.float64), np.asarray(curve.ys, np.float64)
    lows, highs = np.asarray(curve.lows, np.float64), np.asarray(curve.highs, np.float64)
    if positive:
        # A logarithm has no place for a rate of which no error was seen.
        ys = np.where(ys > 0, ys, np.nan)
    axes.plot(xs, ys, color=ink, linestyle=dash, label=label)
    if len(lows) == len(xs) and len(highs) == len(xs):
        least = np.nanmin(ys) / 10 if positive and np.isfinite(ys).any() else -np.inf
        axes.fill_between(xs, np.maximum(lows, least), highs, color=ink, alpha=0.18, linewidth=0)


def _thinned(curve: Curve) -> Curve:
    """Give a curve with no more points than can be seen, both ends among them."""
    count = len(curve.xs)
    if count <= _MOST_POINTS:
        return curve
    # Steps of a logarithm from both ends: curves of rates have their news in the tails.
    half = np.geomspace(1, count / 2, _MOST_POINTS // 2)
    kept = np.unique(np.concatenate([half - 1, count - half]).astype(np.intp)).tolist()

    def thinned(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(values[at] for at in kept) if len(values) == count else ()

    return Curve(thinned(curve.xs), thinned(curve.ys), thinned(curve.lows), thinned(curve.highs))


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(rate, 1e-9), 1 - 1e-9))


def _deviated(curve: Curve) -> Curve:
    """Give a curve on normal deviates, without rates that have none."""
    kept = [
        at
        for at, (x, y) in enumerate(zip(curve.xs, curve.ys, strict=True))
        if 0 < x < 1 and 0 < y < 1
    ]

    def warped(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(_deviate(values[at]) for at in kept) if values else ()

    return Curve(warped(curve.xs), warped(curve.ys), warped(curve.lows), warped(curve.highs))


def _limits_of_deviates(axes: "Axes", curves: Named) -> None:
    """Leave out what lies beyond the curves: a band may reach to the end of the world."""
    xs = [x for _, curve in curves for x in curve.xs]
    ys = [y for _, curve in curves for y in curve.ys]
    if xs and ys:
        axes.set_xlim(min(xs) - 0.15, max(xs) + 0.15)
        axes.set_ylim(min(ys) - 0.3, max(ys) + 0.3)


def _keep_to_counted(axes: "Axes", curves: Named, nonmated: int, mated: int) -> None:
    """Draw nothing below one error of all trials."""
    for trials, values, limit in (
        (nonmated, [x for _, curve in curves for x in curve.xs], axes.set_xlim),
        (mated, [y for _, curve in curves for y in curve.ys], axes.set_ylim),
    ):
        counted = [value for value in values if value > 0 and value * trials >= 0.5]
        if counted:
            limit(min(counted) / 1.5, min(max(counted) * 1.5, 1.3))


def _mark_limit(
    axes: "Axes",
    nonmated: int,
    mated: int,
    place: Callable[[float], float] = lambda rate: rate,
) -> None:
    """Mark where the rule of 30 ends for both rates."""
    for count, line in ((nonmated, axes.axvline), (mated, axes.axhline)):
        if count > RULE_OF_30:
            line(place(RULE_OF_30 / count), color=Ink.MUTED, linewidth=1, linestyle=":")


def _small_ticks(axes: "Axes", which: str) -> None:
    from matplotlib.ticker import NullFormatter

    for axis, letter in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if letter in which:
            axis.set_major_formatter(lambda value, _: small(value))
            axis.set_minor_formatter(NullFormatter())


def _more_ticks(axes: "Axes") -> None:
    """Write numbers between powers of ten on axes that have few of these."""
    from matplotlib.ticker import LogLocator

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if low > 0 and high / low < 200:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _percent_ticks(axes: "Axes", which: str) -> None:
    for axis, letter in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if letter in which:
            axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")


def _tick(rate: float) -> str:
    return small(rate) if rate < 0.01 else f"{rate:g}"


def _legend(axes: "Axes", curves: Named) -> None:
    if len(curves) > 1:
        axes.legend()
