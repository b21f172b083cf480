"""The heat map of false match rates within and across groups."""

import math
from typing import TYPE_CHECKING

import numpy as np

from likeness.evaluation import ERRORS_NEEDED
from likeness.reports.blocks import Plot
from likeness.reports.curves import of_system, short
from likeness.reports.drawing import Ink, draw
from likeness.reports.wording import number, printable, small
from likeness.service.evaluate.findings import Matrix, Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_GROUPS = 32
_MOST_GROUPS_WITH_COUNTS = 12
_DECADES_OF_COLOUR = 3.0
_NO_DATA = "none"
# From far below the target to far above: blue, neutral, red. Letters on them are dark.
_HEAT = (
    *("#7fa8d6", "#94b6dd", "#a9c5e4", "#bfd3eb", "#d5e2f1"),
    "#efefec",
    *("#f9ddd0", "#f5c4ae", "#efa98c", "#e88e6c", "#df724f"),
)
_ON_HEAT = "#1b1d21"


def matrix_plot(matrix: Matrix, target: float, axis: str, name: str = "") -> Plot:
    """Draw the cross-group matrix: log10 FMR of references in rows with probes in columns.

    The colour is neutral at the target. A ring marks cells of fewer than 30 errors; cells without
    an error have counts alone.
    """
    kept = _most_compared(matrix)
    labels = [short(matrix.labels[group]) for group in kept]
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
            if 0 < rate.errors < ERRORS_NEEDED:
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
        title=of_system(f"False match rates within and across groups: {printable(axis)}", name),
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
