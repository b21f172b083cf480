"""Curves of rates and the axes that they are drawn on."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from likeness.evaluation import ERRORS_NEEDED
from likeness.reports.drawing import Ink
from likeness.reports.wording import printable, score, small
from likeness.service.evaluate.findings import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NamedCurves = Sequence[tuple[str, Curve]]
_INKS = (Ink.FIRST, Ink.SECOND)
DASHES = ("-", (0, (5, 1.5)))
_MOST_POINTS = 300
_LONGEST_LABEL = 24


def draw_curves(axes: "Axes", curves: NamedCurves, *, positive: bool = False) -> None:
    """Draw one curve, or two that differ in colour and dashes."""
    for (name, curve), ink, dash in zip(curves, _INKS, DASHES, strict=False):
        draw_curve(axes, curve, label=short(name), ink=ink, dash=dash, positive=positive)


def draw_curve(
    axes: "Axes",
    curve: Curve,
    *,
    label: str,
    ink: str,
    dash: object,
    positive: bool = False,
) -> None:
    """Draw a curve with its band; `positive` is for axes that have no place for zero."""
    xs, ys = np.asarray(curve.xs, np.float64), np.asarray(curve.ys, np.float64)
    lows, highs = np.asarray(curve.lows, np.float64), np.asarray(curve.highs, np.float64)
    if positive:
        # A logarithm has no place for a rate of which no error was seen.
        ys = np.where(ys > 0, ys, np.nan)
    axes.plot(xs, ys, color=ink, linestyle=dash, label=label)
    if len(lows) == len(xs) and len(highs) == len(xs):
        least = np.nanmin(ys) / 10 if positive and np.isfinite(ys).any() else -np.inf
        axes.fill_between(xs, np.maximum(lows, least), highs, color=ink, alpha=0.18, linewidth=0)


def thinned(curve: Curve) -> Curve:
    """Give a curve with no more points than can be seen, both ends among them."""
    count = len(curve.xs)
    if count <= _MOST_POINTS:
        return curve
    # Steps of a logarithm from both ends: curves of rates have their news in the tails.
    half = np.geomspace(1, count / 2, _MOST_POINTS // 2)
    kept = np.unique(np.concatenate([half - 1, count - half]).astype(np.intp)).tolist()

    def of(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(values[at] for at in kept) if len(values) == count else ()

    return Curve(of(curve.xs), of(curve.ys), of(curve.lows), of(curve.highs))


def told(name: str, curve: Curve) -> str:
    """Say a few points of a curve to those who do not see it."""
    chosen = range(0, len(curve.xs), max(len(curve.xs) // 5, 1))
    points = ", ".join(f"{_in_few(curve.ys[at])} at {_in_few(curve.xs[at])}" for at in chosen)
    return f"{printable(name)}: {points}" if name else points


def _in_few(value: float) -> str:
    """Say a number that may be a rate or a score."""
    return small(value) if 0 <= value < 0.01 else score(value)


def short(label: str) -> str:
    """Cut a long label in its middle: crossed groups differ at their ends."""
    said, half = printable(label), _LONGEST_LABEL // 2
    return said if len(said) <= _LONGEST_LABEL else f"{said[:half]}…{said[-half:]}"


def keep_to_counted(axes: "Axes", curves: NamedCurves, nonmated: int, mated: int) -> None:
    """Draw nothing below one error of all trials."""
    for trials, values, limit in (
        (nonmated, [x for _, curve in curves for x in curve.xs], axes.set_xlim),
        (mated, [y for _, curve in curves for y in curve.ys], axes.set_ylim),
    ):
        counted = [value for value in values if value > 0 and value * trials >= 0.5]
        if counted:
            limit(min(counted) / 1.5, min(max(counted) * 1.5, 1.3))


def mark_limit(
    axes: "Axes",
    nonmated: int,
    mated: int,
    place: Callable[[float], float] = lambda rate: rate,
) -> None:
    """Mark where the rule of 30 ends for both rates."""
    for count, line in ((nonmated, axes.axvline), (mated, axes.axhline)):
        if count > ERRORS_NEEDED:
            line(place(ERRORS_NEEDED / count), color=Ink.MUTED, linewidth=1, linestyle=":")


def small_ticks(axes: "Axes", which: str) -> None:
    """Write small rates at an axis's ticks."""
    from matplotlib.ticker import NullFormatter

    for axis, letter in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if letter in which:
            axis.set_major_formatter(lambda value, _: small(value))
            axis.set_minor_formatter(NullFormatter())


def more_ticks(axes: "Axes") -> None:
    """Write numbers between powers of ten on axes that have few of these."""
    from matplotlib.ticker import LogLocator

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if low > 0 and high / low < 200:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def percent_ticks(axes: "Axes", which: str) -> None:
    """Write percent at an axis's ticks."""
    for axis, letter in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if letter in which:
            axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")


def legend(axes: "Axes", curves: NamedCurves) -> None:
    """Name the curves where there are several."""
    if len(curves) > 1:
        axes.legend()


def of_system(what: str, name: str) -> str:
    """Say of which system a plot is, where it is of one of two."""
    return f"{what}, {printable(name)}" if name else what
