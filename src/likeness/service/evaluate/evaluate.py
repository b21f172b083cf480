"""Evaluate a system, or two side by side: work off a plan, measure, and put it into one report."""

from collections.abc import Callable, Sequence
from datetime import datetime

from likeness.errors import InvalidRequest
from likeness.service.evaluate.compare_systems import differences_of
from likeness.service.evaluate.findings import Report
from likeness.service.evaluate.measure import measure
from likeness.service.evaluate.questions import Questions
from likeness.service.evaluate.statement import equitability_of
from likeness.service.evaluate.trials import Plan, SystemUnderTest, Tell

MOST_SYSTEMS = 2


def evaluate(
    plan: Plan,
    systems: Sequence[SystemUnderTest],
    questions: Questions,
    *,
    title: str,
    made_by: str,
    processor: str,
    clock: Callable[[], datetime],
    tell: Tell = lambda done, total: None,
) -> Report:
    """Have one system or two work off a plan, and report what was found.

    Args:
        plan: what to do.
        systems: who does it; `tell` is told how far each is.
        questions: which rates and groups are asked for.
        title: what the report is called.
        made_by: the program and its version.
        processor: what it was measured on.
        clock: says when.
        tell: is told progress.

    Raises:
        InvalidRequest: there is no system, or there are more than two; or the plan has nothing
            that can be counted.
    """
    if not 1 <= len(systems) <= MOST_SYSTEMS:
        raise InvalidRequest(f"{len(systems)} systems to test. Name one, or two to compare.")
    scored = [system.score(plan, tell) for system in systems]
    findings = tuple(measure(each, questions) for each in scored)
    return Report(
        title=title,
        made_at=clock(),
        made_by=made_by,
        processor=processor,
        method=questions.method(),
        findings=findings,
        differences=differences_of(scored[0], scored[1], questions) if len(scored) > 1 else (),
        equitability=tuple(line for each in findings for line in equitability_of(each)),
    )
