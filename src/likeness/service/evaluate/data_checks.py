"""Look for errors in the data themselves: copies, one person under two names, two under one.

A label error counts as an error of the system, so every one that scores show is listed for a
person to look at. Nothing is left out by itself.

1. Files that are identical are found before anything is compared (`Plan.suspicions`).
2. Two strangers who score as pairs of one person usually do (as three in four or more) may be one
   person under two names, or a picture with another's name. Those who score as nearly no two
   pictures of one person do are one picture, as it seems.
3. Where nobody says who is who, so do strangers who score higher than the tail of all strangers'
   scores, continued straight, makes likely.
4. Pictures of one person who score as strangers often do (one in a hundred or more) may be of two.
"""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import Comparisons
from likeness.service.evaluate.findings import Suspicion
from likeness.service.evaluate.trials import PlannedSample, Scored

MOST_LISTED = 100
"""Suspicions of each kind that are listed; how many more there are, the last one says."""

_USUAL = 0.25
_NEARLY_NONE = 0.99
_OFTEN = 0.99
_FEWEST_MATED = 20
_FEWEST_OTHERS = 100
# So many decades apart, 1e-2 and 1e-4, the tail is measured; beyond it is taken to go on straight.
_TAIL = (0.99, 0.9999)
_FEWEST_FOR_TAIL = 20_000
_EXPECTED = 0.05
# Likeness's own scale: copies of a picture that were cut or compressed anew score higher.
_OWN_COPY = -0.05
_MOST_LOOKED_AT = 20_000
_MOST_FOR_QUANTILES = 4_000_000


def suspicions_of(scored: Scored) -> tuple[Suspicion, ...]:
    """List what may be wrong with the data, by files and by scores, the likeliest first."""
    found = list(scored.plan.suspicions)
    comparisons = scored.comparisons
    if comparisons is None or not len(comparisons):
        return tuple(found)
    usable = np.isfinite(comparisons.scores)
    mated = comparisons.scores[usable & comparisons.mated]
    others = _some(comparisons.scores, usable & ~comparisons.mated)
    copies = {frozenset((one.first, one.second)) for one in found}
    if (bar := _same_person(mated, others)) is not None:
        found += _strangers(scored, comparisons, bar, _copy(scored, mated), copies)
    if scored.system.kind == "likeness":
        found += _own_copies(scored, comparisons, copies)
    if len(others) >= _FEWEST_OTHERS:
        found += _two_people(scored, comparisons, float(np.quantile(others, _OFTEN)))
    return tuple(found)


def _some(scores: NDArray[np.floating], chosen: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Take the chosen scores, or evenly some of very many, for quantiles."""
    stride = 1 + len(scores) // _MOST_FOR_QUANTILES
    return scores[::stride][chosen[::stride]]


def _same_person(mated: NDArray[np.floating], others: NDArray[np.floating]) -> float | None:
    """Give the score from which on strangers are suspected; None where nothing tells."""
    if len(mated) >= _FEWEST_MATED:
        return float(np.quantile(mated, _USUAL))
    if len(others) < _FEWEST_FOR_TAIL:
        return None
    near, far = np.quantile(others, _TAIL).tolist()
    if not far > near:
        return None
    decades = math.log10(len(others) / _EXPECTED)
    return float(near + (decades - 2) / 2 * (far - near))


def _copy(scored: Scored, mated: NDArray[np.floating]) -> float:
    """Give the score from which on two pictures are taken for one."""
    if scored.system.kind == "likeness":
        return _OWN_COPY
    if len(mated) < _FEWEST_MATED:
        return math.inf
    return float(np.nextafter(np.quantile(mated, _NEARLY_NONE), np.inf))


def _strangers(
    scored: Scored,
    comparisons: Comparisons,
    bar: float,
    copy: float,
    known: set[frozenset[str]],
) -> Iterator[Suspicion]:
    """List two people whose pictures score as one person's do, each two by their best pair."""
    rows = np.flatnonzero(~comparisons.mated & (comparisons.scores >= bar))
    total = len(rows)
    rows = rows[np.argsort(-comparisons.scores[rows], kind="stable")][:_MOST_LOOKED_AT]
    pairs = Counter[frozenset[str]]()
    best: dict[frozenset[str], int] = {}
    for row in rows.tolist():
        a, b = _samples(scored, comparisons, row)
        people = frozenset((a.subject, b.subject))
        pairs[people] += 1
        best.setdefault(people, row)
    # One pair that is known as copies of a file is no news.
    listed = [
        (people, row)
        for people, row in best.items()
        if pairs[people] > 1 or _names(scored, comparisons, row) not in known
    ]
    for place, (people, row) in enumerate(listed[:MOST_LISTED], 1):
        a, b = _samples(scored, comparisons, row)
        score = float(comparisons.scores[row])
        more = f" {pairs[people]:,} of their pairs do." if pairs[people] > 1 else ""
        left = len(listed) - place
        if place == MOST_LISTED and left:
            more += f" {left:,} more pairs of people score so, in {total:,} comparisons at least."
        identities = scored.plan.data.has_identities
        whose = f"'{a.subject}' and '{b.subject}'" if identities else "Two pictures"
        if score >= copy:
            says = f"{whose}: one picture as it seems, cut or compressed anew.{more}"
            yield Suspicion("duplicate", a.name, b.name, score, says)
        else:
            says = (
                f"{whose} score as pictures of one person do: one person under two names, or a"
                f" picture with another's name.{more}"
            )
            yield Suspicion("one-person-twice", a.name, b.name, score, says)


def _own_copies(
    scored: Scored, comparisons: Comparisons, known: set[frozenset[str]]
) -> Iterator[Suspicion]:
    """List pictures of one person that are one picture: they flatter FNMR."""
    every = np.flatnonzero(comparisons.mated & (comparisons.scores >= _OWN_COPY))
    every = every[np.argsort(-comparisons.scores[every], kind="stable")][:_MOST_LOOKED_AT]
    rows = [row for row in every.tolist() if _names(scored, comparisons, row) not in known]
    for place, row in enumerate(rows[:MOST_LISTED], 1):
        a, b = _samples(scored, comparisons, row)
        left = len(rows) - place
        more = f" {left:,} more pairs score so." if place == MOST_LISTED and left else ""
        yield Suspicion(
            "duplicate",
            a.name,
            b.name,
            float(comparisons.scores[row]),
            f"One picture of '{a.subject}' as it seems, cut or compressed anew: the pair flatters"
            f" FNMR.{more}",
        )


def _two_people(scored: Scored, comparisons: Comparisons, bar: float) -> Iterator[Suspicion]:
    """List pictures that are unlike others of their person, each with all that it is unlike."""
    rows = np.flatnonzero(
        comparisons.mated & (comparisons.scores < bar) & np.isfinite(comparisons.scores)
    )
    total = len(rows)
    rows = rows[np.argsort(comparisons.scores[rows], kind="stable")][:_MOST_LOOKED_AT]
    references, probes = comparisons.references, comparisons.probes
    usable = comparisons.mated & np.isfinite(comparisons.scores)
    of_each = np.bincount(
        np.concatenate([references[usable], probes[usable]]), minlength=len(scored.plan.samples)
    )
    unlike = Counter(np.concatenate([references[rows], probes[rows]]).tolist())
    told: set[int] = set()
    listed = 0
    for row in rows.tolist():
        ends = sorted((int(references[row]), int(probes[row])), key=lambda n: (-unlike[n], n))
        odd, other = ends
        if odd in told or (unlike[odd] < 2 and other in told):
            continue
        listed += 1
        if unlike[odd] > 1:
            told.add(odd)
        a, b = scored.plan.samples[odd], scored.plan.samples[other]
        more = (
            f" {unlike[odd]} of its {of_each[odd]} pairs with pictures of '{a.subject}' do."
            if unlike[odd] > 1
            else ""
        )
        if listed == MOST_LISTED:
            more += f" {total:,} pairs of one person score so in all; no more are listed."
        yield Suspicion(
            "two-people",
            a.name,
            b.name,
            float(comparisons.scores[row]),
            f"Said to be of '{a.subject}', and scores as strangers do: another person, or a hard"
            f" picture.{more}",
        )
        if listed == MOST_LISTED:
            return


def _samples(
    scored: Scored, comparisons: Comparisons, row: int
) -> tuple[PlannedSample, PlannedSample]:
    samples = scored.plan.samples
    return samples[int(comparisons.references[row])], samples[int(comparisons.probes[row])]


def _names(scored: Scored, comparisons: Comparisons, row: int) -> frozenset[str]:
    return frozenset(sample.name for sample in _samples(scored, comparisons, row))
