"""What findings mean, in sentences: what the data cannot support, and how even the system is."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from likeness.evaluation import ERRORS_NEEDED, rate_name, trials_needed
from likeness.service.evaluate.findings import (
    AxisFindings,
    Findings,
    GroupFindings,
    Identification,
    Suspicion,
    Verification,
)
from likeness.service.evaluate.questions import HEADLINE_FMR, HEADLINE_FPIR, MOST_GROUPS, Questions
from likeness.service.evaluate.trials import Scored

_MOST_NAMED = 4
_KINDS = {
    "duplicate": "pairs of files that are one picture",
    "one-person-twice": "pairs of pictures that look like one person under two names",
    "two-people": "pairs of pictures under one name that look like two people",
}


def limits_of(
    scored: Scored,
    verification: Verification | None,
    identification: Identification | None,
    axes: Sequence[AxisFindings],
    suspicions: Sequence[Suspicion],
    questions: Questions,
) -> tuple[str, ...]:
    """Say in words what these data cannot support."""
    return tuple(
        [
            *_of_data(scored, suspicions),
            *_of_verification(verification, questions),
            *_of_identification(identification),
            *(line for axis in axes for line in _of_axis(axis)),
            *_of_crossing(axes, questions),
        ]
    )


def equitability_of(findings: Findings) -> tuple[str, ...]:
    """State how even one system was across groups, and what to do with that in procurement.

    ISO/IEC 19795-10 asks for such a statement.
    """
    lines = [line for axis in findings.axes for line in _evenness(axis)]
    if not lines:
        return ()
    return (
        *(f"{findings.system.name}: {line}" for line in lines),
        f"{findings.system.name}: this holds for these data, this version and this threshold."
        " Whoever buys or deploys it should ask for the same figures on pictures like their own,"
        " and measure again after every change of version or threshold.",
    )


def _of_data(scored: Scored, suspicions: Sequence[Suspicion]) -> Iterator[str]:
    if not scored.plan.data.has_identities:
        yield (
            "Nobody said whose the pictures are: each counts as another person. People who are"
            " there twice raise the false match rate, and there is no false non-match rate."
        )
    for kind, count in sorted(Counter(one.kind for one in suspicions).items()):
        yield (
            f"{count:,} {_KINDS.get(kind, kind)} are listed and counted as labelled. Look at"
            " them: label errors count as errors of the system."
        )


def _of_verification(verification: Verification | None, questions: Questions) -> Iterator[str]:
    if verification is None:
        return
    trials = verification.nonmated
    lacking = [rate for rate in questions.fmrs if trials < trials_needed(rate)]
    if lacking:
        least = min((rate for rate in questions.fmrs if rate not in lacking), default=None)
        carried = (
            "none of the rates asked for" if least is None else f"FMR {rate_name(least)} and above"
        )
        yield (
            f"{trials:,} non-mated comparisons carry {carried} (rule of {ERRORS_NEEDED}: a rate"
            f" needs {ERRORS_NEEDED} errors). NIST's headline, FMR {rate_name(HEADLINE_FMR)}, needs"
            f" {trials_needed(HEADLINE_FMR):,}."
        )
    if not verification.mated:
        yield "There are no mated comparisons, so nothing is said of people who are missed."


def _of_identification(identification: Identification | None) -> Iterator[str]:
    if identification is None:
        return
    strangers = identification.nonmated
    if identification.headline is None:
        yield (
            f"{strangers:,} searches for people who are not enrolled do not carry NIST's headline,"
            f" FPIR {rate_name(HEADLINE_FPIR)}, which needs {trials_needed(HEADLINE_FPIR):,}."
        )
    yield (
        f"Rates of searches hold for a gallery of {identification.gallery:,} references and lists"
        f" of {identification.depth}: more references make more false positives."
    )


def _of_axis(axis: AxisFindings) -> Iterator[str]:
    if axis.unlabelled:
        yield (
            f"{axis.axis}: {axis.unlabelled:,} pictures have no label and are in no group; they"
            " count in the totals."
        )
    for name, rate in (("false match", "fmr"), ("false non-match", "fnmr")):
        thin = [
            one.group
            for one in axis.groups
            if getattr(one, rate).trials and getattr(one, rate).errors < ERRORS_NEEDED
        ]
        if thin:
            yield (
                f"{axis.axis}: fewer than {ERRORS_NEEDED} {name}es were seen in {len(thin)} of"
                f" {len(axis.groups)} groups ({first_of(thin)}), so their rates are uncertain by"
                f" more than 30%.{_higher_rate(axis) if rate == 'fmr' else ''}"
            )
        empty = [one.group for one in axis.groups if not getattr(one, rate).trials]
        if empty and axis.point.threshold.value is not None:
            yield f"{axis.axis}: no {name} rate can be given for {first_of(empty)}: no such pairs."


def _higher_rate(axis: AxisFindings) -> str:
    """Name the lowest rate at which most groups have the errors that a rate needs."""
    compared = sum(1 for one in axis.groups if one.fmr.trials)
    enough = [one.fmr for one in axis.yields if 2 * one.carried_groups > compared]
    if not enough:
        return " At no rate would most groups have as many."
    rate = 10.0 ** math.ceil(math.log10(min(enough)) - 1e-9) if min(enough) > 0 else 0.0
    target = axis.point.target_fmr
    if not 0 < rate < 1 or (target is not None and rate <= target):
        return ""
    return f" At --fmr {rate_name(rate)} most groups have enough."


def _of_crossing(axes: Sequence[AxisFindings], questions: Questions) -> Iterator[str]:
    if questions.crossed and 1 < len(questions.groups) == len(axes):
        yield (
            f"Crossed, {first_of(questions.groups)} make more than {MOST_GROUPS} groups, which are"
            " not compared. Name fewer columns, or put values together."
        )


def _evenness(axis: AxisFindings) -> Iterator[str]:
    by_name = {one.group: one for one in axis.groups}
    worst, best = by_name.get(axis.worst_fmr), by_name.get(axis.best_fmr)
    if worst is not None and best is not None:
        yield (
            f"by {axis.axis}, strangers are taken for one person most often among"
            f" {_in_words(worst)} and least among {_in_words(best)}, at one threshold for all."
        )
    worst, best = by_name.get(axis.worst_fnmr), by_name.get(axis.best_fnmr)
    if worst is not None and best is not None:
        yield (
            f"by {axis.axis}, people are missed most often among {worst.group}"
            f" ({_percent(worst.fnmr.value)}) and least among {best.group}"
            f" ({_percent(best.fnmr.value)})."
        )
    failed = max(axis.groups, key=lambda one: one.fta.value or 0.0, default=None)
    if failed is not None and failed.fta.errors:
        yield (
            f"by {axis.axis}, a picture gives no template most often for {failed.group}"
            f" ({_percent(failed.fta.value)} of {failed.fta.trials:,})."
        )


def _in_words(group: GroupFindings) -> str:
    rate = group.fmr
    if rate.value is None:
        return group.group
    ends = "" if rate.low is None or rate.high is None else f", {rate.low:.2g} to {rate.high:.2g}"
    return f"{group.group} ({rate.value:.2g}{ends})"


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.2g}%"


def first_of(names: Sequence[str], count: int | None = None) -> str:
    """Name the first of some, and how many more there are; of `count` where not all are given."""
    shown, count = names[:_MOST_NAMED], len(names) if count is None else count
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return ", ".join(shown) + more
