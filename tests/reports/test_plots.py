"""Plots of figures as bad data leave them: none of them warns or fails."""

from dataclasses import replace

import pytest

from likeness.evaluation import Estimate
from likeness.reports.blocks import Plot
from likeness.reports.matrix_plot import matrix_plot
from likeness.reports.plots import (
    det_plots,
    error_plot,
    histogram_plot,
    hit_rate_plot,
    likelihood_plot,
    tradeoff_plot,
    yield_plot,
)
from likeness.service.evaluate.findings import (
    Curve,
    Histogram,
    LikelihoodRatios,
    Matrix,
    Rate,
    YieldPoint,
)
from tests.reports.made_up import axis, findings, identification, rate, verification

_CURVES = {
    "none": Curve((), ()),
    "one point": Curve((0.1,), (0.2,), (0.1,), (0.3,)),
    "no error": Curve((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
    "all wrong": Curve((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)),
    "one score": Curve((0.5, 0.5), (0.0, 1.0)),
    "very many": Curve(
        tuple(step / 9999 for step in range(10_000)),
        tuple(1 - step / 9999 for step in range(10_000)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("curve", _CURVES.values(), ids=_CURVES)
def test_any_curve_can_be_drawn(curve: Curve) -> None:
    one = replace(verification(), det=curve, fmr_by_threshold=curve, fnmr_by_threshold=curve)
    search = replace(identification(), tradeoff=curve, hit_rates=())
    for plot in (
        *det_plots([("A", one), ("B", one)]),
        error_plot(one),
        tradeoff_plot([("", search)]),
        hit_rate_plot([("", search)]),
    ):
        assert plot.svg.startswith("<svg") and len(plot.svg) < 100_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "histogram",
    [
        Histogram((), (), ()),
        Histogram((0.5, 0.6), (), (1.0,)),
        Histogram((0.5, 0.5), (1.0,), (1.0,)),
    ],
)
def test_any_histogram_can_be_drawn(histogram: Histogram) -> None:
    assert histogram_plot(histogram).svg


@pytest.mark.slow
def test_other_plots_of_next_to_nothing() -> None:
    nothing = Rate(0, 0, None)
    flat = LikelihoodRatios("", ((0.5, 0.0), (0.5, 0.0)), Estimate(None), Estimate(None), 0, 0)
    point = YieldPoint(0.5, 0.0, "", 0.0, None, None, None)
    plots: list[Plot] = [
        likelihood_plot(flat),
        yield_plot([point], "sex"),
        yield_plot([replace(point, yield_lost=0.0)] * 2, "sex"),
        matrix_plot(Matrix(("a",), ((nothing,),)), 1e-3, "sex"),
        matrix_plot(Matrix(("a", "b"), ((rate(0, 9), nothing),) * 2), 1e-3, "sex"),
    ]
    assert all(plot.svg for plot in plots)


@pytest.mark.slow
def test_a_cell_at_the_target_is_neutral_and_one_above_is_red() -> None:
    cells = ((rate(1000, 1_000_000), rate(900_000, 1_000_000)), (rate(1, 10_000_000), rate(0, 5)))
    plot = matrix_plot(Matrix(("a", "b"), cells), 1e-3, "sex")
    rules = " ".join(plot.rules.values())
    assert "#efefec" in rules and "#df724f" in rules and "#7fa8d6" in rules
    assert ">-3.0</text>" in plot.svg and ">1000/1.0M</text>" not in plot.svg


@pytest.mark.slow
def test_of_too_many_groups_those_with_most_comparisons_are_drawn() -> None:
    names = tuple(f"a group with a long name {number}" for number in range(40))
    matrix = axis("many", names=names).matrix
    assert matrix
    plot = matrix_plot(matrix, 1e-4, "many")
    assert "The 32 groups with most comparisons." in plot.caption
    assert len(plot.svg) < 400_000


def test_the_curve_that_is_drawn_has_both_its_ends() -> None:
    plot = det_plots([("", findings().verification or verification())])[0]
    assert "FMR" in plot.svg and plot.size in ("w320-560",)
