"""Figures of a report by name, as report cards hold and compare them."""

from collections.abc import Iterator

from likeness.evaluation import Estimate, rate_name
from likeness.service.evaluate.findings import (
    AxisFindings,
    Findings,
    Identification,
    OperatingRates,
    Rate,
    Report,
    Verification,
)


def figures_of(findings: Findings) -> dict[str, Estimate]:
    """Name what was found: rates over all, failures, and rates of each group.

    Worst and best, curves and matrices stay in the report.
    """
    return dict(_figures(findings))


def warnings_of(findings: Findings) -> tuple[str, ...]:
    """Give what readers are warned of: uneven groups, and headline figures without a value."""
    warned = [
        f"groups by {axis.axis}: {warning}" for axis in findings.axes for warning in axis.warnings
    ]
    headlines: list[tuple[str, Rate]] = []
    if findings.verification is not None:
        headlines.append(("1:1", findings.verification.headline.fnmr))
    if findings.identification is not None and findings.identification.headline is not None:
        headlines.append(("1:N", findings.identification.headline.fnir))
    return (
        *warned,
        *(
            f"{kind} headline: {rate.note or 'the data carry no figure'}"
            for kind, rate in headlines
            if rate.value is None
        ),
    )


def facts_of(report: Report, number: int) -> dict[str, str]:
    """Say of one system of a report what was tested, on what, when and how."""
    findings = report.findings[number]
    system, data = findings.system, findings.data
    return {
        "system": system.name,
        "kind": system.kind,
        "version": system.version,
        "model": system.model,
        "score": system.score,
        **{f"system: {name}": text for name, text in system.details.items()},
        "data": data.name,
        "data version": data.version,
        "data digest": data.digest,
        "images": str(data.images),
        "subjects": str(data.subjects),
        "labelled by": data.labelled_by,
        "made by": report.made_by,
        **{f"method: {name}": text for name, text in report.method.items()},
    }


def _figures(findings: Findings) -> Iterator[tuple[str, Estimate]]:
    yield "failure to acquire", _estimate(findings.failures.fta)
    yield "failure to enrol", _estimate(findings.failures.fte)
    yield "seconds per answer", findings.seconds
    if findings.verification is not None:
        yield from _verification(findings.verification)
    if findings.identification is not None:
        yield from _identification(findings.identification)
    for axis in findings.axes:
        yield from _axis(axis)
    if findings.calibration is not None and (ratios := findings.calibration.likelihood_ratios):
        yield "Cllr", ratios.cllr
        yield "Cllr_min", ratios.cllr_min


def _verification(found: Verification) -> Iterator[tuple[str, Estimate]]:
    for point in (found.headline, *found.points):
        at = _at(point)
        yield f"1:1 threshold at {at}", point.threshold
        yield f"1:1 FMR at {at}", _estimate(point.fmr)
        yield f"1:1 FNMR at {at}", _estimate(point.fnmr)
        yield f"1:1 GFAR at {at}", point.gfar
        yield f"1:1 GFRR at {at}", point.gfrr
    yield "1:1 equal error", found.equal_error


def _identification(found: Identification) -> Iterator[tuple[str, Estimate]]:
    of = f"1:N of {found.gallery}"
    for point in (found.headline, *found.points):
        if point is None:
            continue
        at = (
            f"threshold {point.threshold.value:g}"
            if point.target_fpir is None and point.threshold.value is not None
            else f"FPIR {rate_name(point.target_fpir)}"
            if point.target_fpir is not None
            else "no threshold"
        )
        yield f"{of}: threshold at {at}", point.threshold
        yield f"{of}: FPIR at {at}", _estimate(point.fpir)
        yield f"{of}: FNIR at {at}", _estimate(point.fnir)
    if found.hit_rates:
        yield f"{of}: hit rate at rank 1", _estimate(found.hit_rates[0])


def _axis(axis: AxisFindings) -> Iterator[tuple[str, Estimate]]:
    at = _at(axis.point)
    if axis.same_group is not None:
        yield f"{axis.axis}: FMR of one group at {at}", _estimate(axis.same_group)
    # Those with the highest FMR first.
    for group in sorted(axis.groups, key=lambda one: -(one.fmr.value or 0.0)):
        of = f"{axis.axis} {group.group}"
        yield f"{of}: FMR at {at}", _estimate(group.fmr)
        yield f"{of}: FNMR at {at}", _estimate(group.fnmr)
        yield f"{of}: failure to acquire", _estimate(group.fta)
        yield f"{of}: failure to enrol", _estimate(group.fte)
    for one in axis.inequity:
        yield f"{axis.axis}: {one.rate} max/min at {at}", one.max_over_min
        yield f"{axis.axis}: {one.rate} max/geomean at {at}", one.max_over_geomean
        yield f"{axis.axis}: {one.rate} Gini at {at}", one.gini
    yield f"{axis.axis}: GARBE at {at}", axis.garbe


def _at(point: OperatingRates) -> str:
    if point.target_fmr is not None:
        return f"FMR {rate_name(point.target_fmr)}"
    if point.threshold.value is not None:
        return f"threshold {point.threshold.value:g}"
    return "no threshold"


def _estimate(rate: Rate) -> Estimate:
    counted = f"{rate.errors:,} of {rate.trials:,}"
    note = f"{counted}; {rate.note}" if rate.note else counted
    return Estimate(rate.value, rate.low, rate.high, note)
