"""Tells which templates that are said to be one person's do not look alike.

Two look alike here where their score is one that at most 1 in 100 pairs of strangers reaches: so
few pairs of one person miss it that whoever does is worth a look. A person who has changed is like
one of their pictures at least: of several, it takes one that another is like.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Template, relative_scores

FMR = 1e-2
"""The false match rate at which two templates look alike."""


def scores_between(some: Sequence[Template], others: Sequence[Template]) -> NDArray[np.float64]:
    """Score (n,) templates with (m,) others of the same model and cohort: (n, m)."""
    raw = np.stack([one.vector for one in some]) @ np.stack([one.vector for one in others]).T
    means, other_means = (np.array([one.cohort.mean for one in these]) for these in (some, others))
    return relative_scores(raw, means[:, None], other_means[None])


def count_unlike(some: Sequence[Template], others: Sequence[Template], alike: float) -> int:
    """Count those of some templates that look like none of some others."""
    if not some or not others:
        return 0
    return int((scores_between(some, others).max(axis=1) < alike).sum())


def unlike_the_rest(known: Sequence[Template], new: Sequence[Template], alike: float) -> list[bool]:
    """Say of each new template of a person whether it looks like none of the person's others.

    Those count that are known, and new ones that look like these, or like others that do. Where
    none is known, the most who look alike are the person; of two groups as large, the one whose
    first came first.
    """
    every = [*known, *new]
    if len(every) < 2 or not new:
        return [False] * len(new)
    return [bool(one) for one in strays(scores_between(every, every) >= alike, len(known))]


def strays(looks_like: NDArray[np.bool_], known: int = 0) -> NDArray[np.bool_]:
    """Say which of a person's (n,) templates look like none of the others, but for the known first.

    `looks_like` is (n, n); see `unlike_the_rest`.
    """
    group = np.full(len(looks_like), -1)
    for first in range(len(looks_like)):
        if group[first] < 0:
            reached = np.zeros(len(looks_like), bool)
            reached[first] = True
            while (further := looks_like[reached].any(axis=0) | reached).sum() > reached.sum():
                reached = further
            group[reached] = first
    if known:
        theirs = np.unique(group[:known])
    else:
        groups, sizes = np.unique(group, return_counts=True)
        theirs = groups[[sizes.argmax()]]
    return ~np.isin(group[known:], theirs)
