"""The plots of an evaluation, each drawn of one value of the findings."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from likeness.evaluation import VERBAL_SCALE
from likeness.reports.blocks import Plot
from likeness.reports.curves import (
    DASHES,
    NamedCurves,
    draw_curve,
    draw_curves,
    keep_to_counted,
    legend,
    mark_limit,
    more_ticks,
    of_system,
    percent_ticks,
    short,
    small_ticks,
    thinned,
    told,
)
from likeness.reports.drawing import Ink, draw
from likeness.reports.wording import percent, printable, score, small
from likeness.service.evaluate.findings import (
    AxisFindings,
    Curve,
    Histogram,
    Identification,
    LikelihoodRatios,
    Verification,
    YieldPoint,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DEVIATES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)


def det_plots(verifications: Sequence[tuple[str, Verification]]) -> tuple[Plot, Plot]:
    """Draw FNMR over FMR of one system or two, on log axes and on normal-deviate axes.

    A dotted line is where the rule of 30 ends: beyond it fewer than 30 errors were seen.
    """
    curves = [(name, thinned(one.det)) for name, one in verifications]
    fewest = min((one.nonmated for _, one in verifications), default=0)
    fewest_mated = min((one.mated for _, one in verifications), default=0)

    def on_logs(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        small_ticks(axes, "xy")
        draw_curves(axes, curves, positive=True)
        mark_limit(axes, fewest, fewest_mated, lambda rate: rate)
        keep_to_counted(axes, curves, fewest, fewest_mated)
        more_ticks(axes)

    def on_deviates(axes: "Axes") -> None:
        warped = [(name, _deviated(curve)) for name, curve in curves]
        draw_curves(axes, warped)
        mark_limit(axes, fewest, fewest_mated, _deviate)
        places = [_deviate(rate) for rate in _DEVIATES]
        axes.set_xticks(places, [_tick(rate) for rate in _DEVIATES], rotation=45, ha="right")
        axes.set_yticks(places, [_tick(rate) for rate in _DEVIATES])
        _limits_of_deviates(axes, warped)

    def labelled(paint: Callable[["Axes"], None]) -> Callable[["Axes"], None]:
        def both(axes: "Axes") -> None:
            paint(axes)
            axes.set_xlabel("false match rate (FMR)")
            axes.set_ylabel("false non-match rate (FNMR)")
            legend(axes, curves)

        return both

    description = "; ".join(told(name, curve) for name, curve in curves)
    limit = "Beyond the dotted lines fewer than 30 errors were seen."
    return (
        draw(
            labelled(on_logs),
            title="Detection error trade-off, log axes",
            description=description,
            caption=f"Detection error trade-off on log axes (lower is better). {limit}",
        ),
        draw(
            labelled(on_deviates),
            title="Detection error trade-off, normal-deviate axes",
            description=description,
            caption="The same on normal-deviate axes: scores that spread as bells do give a line.",
        ),
    )


def error_plot(verification: Verification, name: str = "") -> Plot:
    """Draw FMR and FNMR against the threshold, with the thresholds of the points."""
    fmr = thinned(verification.fmr_by_threshold)
    fnmr = thinned(verification.fnmr_by_threshold)

    def paint(axes: "Axes") -> None:
        axes.set_yscale("log")
        small_ticks(axes, "y")
        for label, curve, ink, dash in (
            ("FMR", fmr, Ink.NONMATED, "-"),
            ("FNMR", fnmr, Ink.MATED, DASHES[1]),
        ):
            draw_curve(axes, curve, label=label, ink=ink, dash=dash, positive=True)
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
        title=of_system("Errors against the threshold", name),
        description=f"FMR: {told('', fmr)}; FNMR: {told('', fnmr)}",
        caption=f"{of_system('Errors against the threshold', name)}."
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
        percent_ticks(axes, "y")
        axes.set_xlabel("score")
        axes.set_ylabel("share of comparisons")
        if histogram.mated or histogram.nonmated:
            axes.legend()

    return draw(
        paint,
        title=of_system("Scores of one person and of two", name),
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
        draw_curves(axes, curves)
        if max((len(curve.xs) for _, curve in curves), default=0) > 20:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        percent_ticks(axes, "y")
        axes.set_xlabel("rank")
        axes.set_ylabel("mate within that rank")
        legend(axes, curves)

    return draw(
        paint,
        title="Hit rate by rank (CMC)",
        description="; ".join(told(name, curve) for name, curve in curves),
        caption="Hit rate by rank (CMC), whatever the score: investigation, where a person looks"
        " at each candidate.",
    )


def tradeoff_plot(identifications: Sequence[tuple[str, Identification]]) -> Plot:
    """Draw FNIR over FPIR on log axes."""
    curves = [(name, thinned(one.tradeoff)) for name, one in identifications]

    def paint(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        small_ticks(axes, "xy")
        draw_curves(axes, curves, positive=True)
        fewest = min((one.nonmated for _, one in identifications), default=0)
        fewest_mated = min((one.mated for _, one in identifications), default=0)
        mark_limit(axes, fewest, fewest_mated)
        keep_to_counted(axes, curves, fewest, fewest_mated)
        more_ticks(axes)
        axes.set_xlabel("false positive identification rate (FPIR)")
        axes.set_ylabel("FNIR")
        legend(axes, curves)

    return draw(
        paint,
        title="Missed mates against false alarms of searches",
        description="; ".join(told(name, curve) for name, curve in curves),
        caption="Missed mates (FNIR) against false alarms (FPIR). Beyond the dotted lines fewer"
        " than 30 errors were seen.",
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
        axes.set_yticks(range(len(shown)), [short(group.group) for group in shown])
        axes.set_ylim(-0.6, max(len(shown), 1) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("score")

    return draw(
        paint,
        title=of_system(f"Scores by group: {printable(axis.axis)}", name),
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
    curve = thinned(
        Curve(tuple(at for at, _ in ratios.knots), tuple(log for _, log in ratios.knots))
    )

    def paint(axes: "Axes") -> None:
        draw_curve(axes, curve, label="", ink=Ink.FIRST, dash="-")
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
        title=of_system("Likelihood ratio by score", name),
        description=told("", curve),
        caption=f"{of_system('Likelihood ratio by score', name)}: above 0 it speaks for one person,"
        " below for two. The words are ENFSI's.",
    )


def yield_plot(yields: Sequence[YieldPoint], axis: str, name: str = "") -> Plot:
    """Draw yield lost beside evenness gained: FMR of all and of the worst group."""
    known = [point for point in yields if point.yield_lost is not None]

    def paint(axes: "Axes") -> None:
        lost = [point.yield_lost or 0.0 for point in known]
        axes.set_yscale("log")
        small_ticks(axes, "y")
        for label, values, ink, dash in (
            ("worst group", [point.worst_fmr for point in known], Ink.SECOND, "-"),
            ("all pairs", [point.fmr for point in known], Ink.FIRST, DASHES[1]),
        ):
            shown = [value if value > 0 else math.nan for value in values]
            axes.plot(lost, shown, color=ink, linestyle=dash, marker="o", markersize=3, label=label)
        percent_ticks(axes, "x")
        axes.set_xlabel("true positives lost")
        axes.set_ylabel("false match rate")
        axes.legend()

    return draw(
        paint,
        title=of_system(f"Yield lost beside evenness gained: {printable(axis)}", name),
        description="; ".join(
            f"at {score(point.threshold)} the worst group's FMR is {small(point.worst_fmr)}"
            f" and {percent(point.yield_lost or 0)} of true positives are lost"
            for point in known[:: max(len(known) // 5, 1)]
        ),
        caption=f"{of_system(f'By {printable(axis)}', name)}: to the right the threshold"
        " rises, true positives are lost, and fewer strangers match.",
    )


def _known(rate: object) -> bool:
    return getattr(rate, "value", None) is not None


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


def _limits_of_deviates(axes: "Axes", curves: NamedCurves) -> None:
    """Leave out what lies beyond the curves: a band may reach to the end of the world."""
    xs = [x for _, curve in curves for x in curve.xs]
    ys = [y for _, curve in curves for y in curve.ys]
    if xs and ys:
        axes.set_xlim(min(xs) - 0.15, max(xs) + 0.15)
        axes.set_ylim(min(ys) - 0.3, max(ys) + 0.3)


def _tick(rate: float) -> str:
    return small(rate) if rate < 0.01 else f"{rate:g}"
