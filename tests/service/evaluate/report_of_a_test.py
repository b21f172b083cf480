"""A small report, with numbers that mean nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from likeness.evaluation import Estimate
from likeness.service.evaluate.findings import (
    AxisFindings,
    Curve,
    DataFacts,
    Failures,
    Findings,
    GroupFindings,
    Histogram,
    Inequity,
    OperatingRates,
    Rate,
    Report,
    SystemFacts,
    Verification,
)

DIGEST = "ab" * 32


def rate(errors: int, trials: int, spread: float = 0.3) -> Rate:
    value = errors / trials
    return Rate(errors, trials, value, value * (1 - spread), value * (1 + spread))


def point(errors: int = 30) -> OperatingRates:
    return OperatingRates(
        1e-4,
        Estimate(0.42, 0.40, 0.44),
        rate(100, 1_000_000),
        rate(errors, 1_000),
        rate(errors, 1_000),
        Estimate(1e-4),
        Estimate(errors / 1000),
    )


def group(name: str, errors: int) -> GroupFindings:
    fail, none = rate(1, 100), Rate(0, 50, 0.0, 0.0, 0.06, "rule of 3")
    return GroupFindings(name, 50, 100, fail, none, rate(errors, 100_000), rate(errors, 1_000))


def findings(errors: int = 30, **changed: Any) -> Findings:
    curve = Curve((1e-4, 1e-3), (0.03, 0.02))
    axis = AxisFindings(
        "sex",
        point(errors),
        (group("female", 2 * errors), group("male", errors)),
        None,
        (Inequity("FMR", *[Estimate(2.0, 1.5, 2.5)] * 6),),
        Estimate(0.2),
        Estimate(0.9),
        "female",
        "male",
        "female",
        "male",
        (),
        (),
    )
    histogram = Histogram((0.0, 0.5, 1.0), (0.1, 0.9), (0.9, 0.1))
    verification = Verification(
        1_000, 1_000_000, point(errors), (), Estimate(0.01), curve, curve, curve, histogram
    )
    made = Findings(
        SystemFacts("Likeness", "likeness", "0.2.0", "model@1+finder@2+upright+one"),
        DataFacts("LFW View 1", "2007", "University", "subjects by name", DIGEST, 100, 50),
        Failures(rate(1, 100), rate(1, 50), (("NoFace", 1),)),
        verification,
        None,
        (axis,),
        None,
        Estimate(0.1),
        (),
        (),
        ("The data carry no FMR of 1e-6.",),
    )
    return replace(made, **changed)


def report(*found: Findings) -> Report:
    return Report(
        "An audit",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        "likeness 0.2.0",
        "a processor",
        {"resamples": "1000"},
        found or (findings(),),
    )
