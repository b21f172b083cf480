"""Reports of systems that do not exist, as real ones look: scores spread as bells do."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from statistics import NormalDist

from likeness.evaluation import Estimate
from likeness.service.evaluate.findings import (
    AxisFindings,
    CalibrationFindings,
    Curve,
    DataFacts,
    Difference,
    Failures,
    Findings,
    GroupFindings,
    Histogram,
    Identification,
    Inequity,
    LikelihoodRatios,
    Matrix,
    OperatingRates,
    Rate,
    Report,
    RowProblem,
    SearchRates,
    Suspicion,
    SystemFacts,
    ThresholdAdvice,
    Verification,
    YieldPoint,
)

SEXES = ("female", "male")
REGIONS = ("Africa", "East Asia", "Europe", "South Asia")
# How much more alike its strangers look, in standard deviations.
_SHIFTS = {"female": 0.25, "male": 0.0, "Africa": 0.35, "East Asia": 0.45, "Europe": 0.0}
_NONMATED = NormalDist(0.05, 0.09)
_MATED = NormalDist(0.62, 0.13)


def rate(errors: int, trials: int) -> Rate:
    """Give a rate with Wilson's interval."""
    if not trials:
        return Rate(0, 0, None, note="No such comparison was made.")
    if not errors:
        return Rate(
            0,
            trials,
            0.0,
            0.0,
            min(3 / trials, 1.0),
            f"No error in {trials:,} trials: at 95% confidence at most so many (rule of 3).",
        )
    z, share = 1.96, errors / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    half /= 1 + z * z / trials
    note = f"Only {errors} of the 30 errors that a rate needs (rule of 30)." if errors < 30 else ""
    return Rate(errors, trials, share, max(middle - half, 0.0), min(middle + half, 1.0), note)


def near(value: float, spread: float = 0.1) -> Estimate:
    """Give an estimate with an interval about it."""
    return Estimate(value, value * (1 - spread), value * (1 + spread))


def groups_of(axis: str) -> tuple[str, ...]:
    """Name the groups of an axis."""
    if axis == "sex":
        return SEXES
    if axis == "region":
        return REGIONS
    return tuple(f"{sex} {region}" for sex in SEXES for region in REGIONS)


def shift(group: str) -> float:
    """Say how much more alike the strangers of a group look."""
    return sum(by for name, by in _SHIFTS.items() if f" {name} " in f" {group} ")


def fmr(threshold: float, more: float = 0.0) -> float:
    return 1 - _NONMATED.cdf(threshold - more * _NONMATED.stdev)


def fnmr(threshold: float) -> float:
    return _MATED.cdf(threshold)


def threshold_at(wanted: float) -> float:
    return _NONMATED.inv_cdf(1 - wanted)


def point(target: float, mated: int = 6000, nonmated: int = 10_000_000) -> OperatingRates:
    """Give the rates at the threshold of a target."""
    at = threshold_at(target)
    missed = rate(round(fnmr(at) * mated) + 20, mated)
    return OperatingRates(
        target,
        Estimate(at, at - 0.01, at + 0.012),
        rate(round(target * nonmated), nonmated),
        missed,
        rate(round(fnmr(at) * mated), mated - 20),
        near(target * 0.99),
        near(missed.value or 0.01),
        similarity=99.0,
    )


def verification() -> Verification:
    """Give figures of a million comparisons and more."""
    thresholds = [-0.2 + 0.005 * step for step in range(240)]
    fmrs = [fmr(at) for at in thresholds]
    fnmrs = [fnmr(at) for at in thresholds]
    det = [(x, y) for x, y in zip(fmrs, fnmrs, strict=True) if x >= 1e-7 and y >= 1 / 6000]
    ys = tuple(y for _, y in det)
    return Verification(
        6000,
        10_000_000,
        point(1e-6),
        tuple(point(target) for target in (1e-5, 1e-4, 1e-3)),
        Estimate(0.0071, 0.006, 0.0083),
        Curve(
            tuple(x for x, _ in det),
            ys,
            tuple(y * 0.8 for y in ys),
            tuple(min(y * 1.25, 1.0) for y in ys),
        ),
        Curve(tuple(thresholds), tuple(fmrs)),
        Curve(tuple(thresholds), tuple(fnmrs), tuple(y * 0.8 for y in fnmrs), tuple(fnmrs)),
        histogram(),
    )


def histogram() -> Histogram:
    edges = tuple(-0.3 + 0.02 * step for step in range(66))

    def shares(of: NormalDist) -> tuple[float, ...]:
        return tuple(of.cdf(b) - of.cdf(a) for a, b in pairwise(edges))

    return Histogram(edges, shares(_MATED), shares(_NONMATED))


def identification() -> Identification:
    """Give figures of searches of 1,200 people."""
    rates = [0.00131, 0.003, 0.01, 0.05, 0.2]
    return Identification(
        gallery=1200,
        enrolled=1200,
        depth=50,
        mated=900,
        nonmated=700,
        headline=SearchRates(0.003, Estimate(0.48, 0.46, 0.51), rate(2, 700), rate(110, 900)),
        points=(SearchRates(0.01, Estimate(0.45, 0.44, 0.47), rate(7, 700), rate(80, 900)),),
        hit_rates=tuple(rate(min(860 + rank, 888), 900) for rank in range(50)),
        tradeoff=Curve(tuple(rates), (0.13, 0.12, 0.09, 0.07, 0.05)),
    )


def group(name: str, at: float, number: int) -> GroupFindings:
    size = 40_000 if "South" in name else 400_000
    return GroupFindings(
        name,
        120 + number,
        480 + 7 * number,
        rate(3 + 2 * number, 480 + 7 * number),
        rate(number % 3, 120 + number),
        rate(round(fmr(at, shift(name)) * size), size),
        rate(round(fnmr(at) * 700) + 3 * number, 700),
        tuple(_MATED.inv_cdf(share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)),
        tuple(
            _NONMATED.inv_cdf(share) + shift(name) * 0.09 for share in (0.05, 0.25, 0.5, 0.75, 0.95)
        ),
        Estimate(-0.004, -0.01, 0.002),
        Estimate(shift(name) * 0.09, shift(name) * 0.08, shift(name) * 0.1),
        near(0.084 + 0.001 * number, 0.02),
    )


def axis(name: str, target: float = 1e-4, names: tuple[str, ...] = ()) -> AxisFindings:
    """Give what was found of the groups of one axis."""
    at, names = threshold_at(target), names or groups_of(name)
    groups = tuple(group(one, at, number) for number, one in enumerate(names))
    by_fmr = sorted(groups, key=lambda one: one.fmr.value or 0.0)
    by_fnmr = sorted(groups, key=lambda one: one.fnmr.value or 0.0)
    cells = tuple(
        tuple(
            one.fmr
            if one.group == other
            else rate(round(300_000 * fmr(at, shift(one.group) - 0.5)), 300_000)
            for other in names
        )
        for one in groups
    )
    undefined = Estimate(None, None, 240.0, "Undefined, upper bound 240: a group has no error.")
    return AxisFindings(
        name,
        point(target),
        groups,
        Matrix(names, cells),
        (
            Inequity("FMR", undefined, near(3e-4), near(2.5), near(3.1), near(0.021), near(0.44)),
            Inequity("FNMR", near(11.0), near(0.03), near(2.2), near(2.9), near(0.01), near(0.42)),
        ),
        near(0.43),
        near(0.985, 0.002),
        by_fmr[-1].group,
        by_fmr[0].group,
        by_fnmr[-1].group,
        by_fnmr[0].group,
        tuple(
            YieldPoint(
                threshold_at(wanted),
                wanted,
                by_fmr[-1].group,
                fmr(threshold_at(wanted), 0.7),
                2.0 + number / 4,
                1 - fnmr(threshold_at(wanted)),
                fnmr(threshold_at(wanted)) - fnmr(threshold_at(1e-2)),
            )
            for number, wanted in enumerate((1e-2, 1e-3, 1e-4, 1e-5, 1e-6))
        ),
        (f"{by_fmr[-1].group}: FMR is 5.2 times the target of 1e-4 at the threshold in force.",),
        unlabelled=12,
        same_group=rate(round(fmr(at, 0.3) * 2_000_000), 2_000_000),
    )


def findings(name: str = "Likeness", kind: str = "likeness") -> Findings:
    """Give all that was found of one system."""
    return Findings(
        SystemFacts(name, kind, "0.2.0", "better-recogniser", "even score", {"Chips": "six"}),
        DataFacts(
            "Made-up people",
            "2026-11",
            "drawn for tests",
            "nobody: made up with their labels",
            "9f" * 32,
            3900,
            1000,
        ),
        Failures(rate(41, 3900), rate(4, 1000), (("no face found", 30), ("no picture", 11))),
        verification(),
        identification(),
        (axis("sex"), axis("region"), axis("sex x region")),
        CalibrationFindings(
            (0.2, 0.3, 0.4, 0.5),
            (0.05, 3e-3, 5e-5, 3e-7),
            LikelihoodRatios(
                "logistic regression, cross-validated by subject",
                tuple((at / 20, at - 8.0) for at in range(15)),
                Estimate(0.031, 0.025, 0.04),
                Estimate(0.027, 0.021, 0.035),
                -3.2,
                5.8,
            ),
            (
                ThresholdAdvice(1, 1e-4, Estimate(0.385, 0.375, 0.398)),
                ThresholdAdvice(
                    100_000,
                    0.003,
                    Estimate(None, note="The data carry no such rate."),
                    "Extrapolated rates are not given.",
                ),
            ),
        ),
        near(0.086, 0.02),
        (RowProblem("manifest.csv:17", "No such file 'a/b.jpg'. Correct the path."),),
        (
            Suspicion("duplicate", "a/1.jpg", "b/7.jpg", 1.0, "One file under two names."),
            Suspicion("two-people", "c/1.jpg", "c/2.jpg", 0.02, "Scores as strangers do."),
        ),
        (
            "FMR 1e-6 rests on 10 errors: the data carry 3e-6 (rule of 30).",
            "South Asia has too few comparisons for FMR 1e-4 within the group.",
        ),
    )


def report(*names: str) -> Report:
    """Give a report of the named systems; of Likeness without names."""
    chosen = names or ("Likeness",)
    difference = Difference(
        "FNMR at FMR 1e-4", near(0.031), near(0.045), Estimate(0.014, 0.004, 0.024), 0.006
    )
    return Report(
        "Audit of made-up people",
        datetime(2026, 11, 29, 18, 0, tzinfo=UTC),
        "likeness audit 0.2.0",
        "2 cores of a made-up processor",
        {"Resamples": "1,000", "Seed": "0"},
        tuple(
            replace(findings(name), system=replace(findings().system, name=name)) for name in chosen
        ),
        (difference,) if len(chosen) == 2 else (),
        ("Strangers of one region match up to 5.2 times as often as all strangers do.",),
    )
