"""Rows of pairs, with scores or without, as they are collected from a file: each pair once."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers.labels import checked_picture, key_of
from likeness.service.evaluate.readers.problems import MOST_TOLD, Problems

SAME, DIFFERENT, UNSAID = 1, 0, -1
LONGEST_LIST = 100_000_000
_REPEATED = "rows of pairs that an earlier row has"


@dataclass(frozen=True, slots=True, eq=False)
class PairRows:
    """n pairs of named pictures, each pair once.

    `names` are as they were written, `pairs` (n, 2) int32 numbers of them, `lines` (n,) where each
    stands. `same` (n,) int8 is `SAME`, `DIFFERENT` or `UNSAID`. `subjects` say whose pictures are,
    by number, where the rows do. `folds` are those of LFW's lists. `scores` is (n,) float64, minus
    infinity where a comparison failed, None for a list without; `failures` (number of a name, why)
    are pictures that are said to have failed, and `unclear` how many comparisons failed of which
    nobody says whose picture it was.
    """

    source: str
    names: tuple[str, ...]
    pairs: NDArray[np.int32]
    lines: NDArray[np.int32]
    same: NDArray[np.int8]
    subjects: Mapping[int, str]
    problems: Problems
    folds: NDArray[np.int16] | None = None
    scores: NDArray[np.float64] | None = None
    failures: tuple[tuple[int, str], ...] = ()
    unclear: int = 0


@dataclass(slots=True)
class Collected:
    """What is read so far, in little memory."""

    problems: Problems
    numbers: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    pairs: "array[int]" = field(default_factory=lambda: array("i"))
    lines: "array[int]" = field(default_factory=lambda: array("i"))
    same: "array[int]" = field(default_factory=lambda: array("b"))
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    folds: "array[int]" = field(default_factory=lambda: array("h"))
    subjects: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    sure: dict[int, str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Number a picture by its name; raises what `checked_picture` raises."""
        known = self.numbers.get(name)
        if known is None:
            checked_picture(name)
            known = self.numbers.setdefault(key_of(name), len(self.names))
            self.numbers[name] = known
            if known == len(self.names):
                self.names.append(name)
        return known

    def tell_subject(self, line: int, number: int, subject: str) -> None:
        """Note whose a picture is."""
        if subject and (known := self.subjects.setdefault(number, subject)) != subject:
            self.problems.add_row(
                "rows that name somebody else than an earlier row",
                line,
                f"'{self.names[number]}' is '{subject}' here and was '{known}'. It counts as"
                f" '{known}'.",
            )


def finished(path: Path, collected: Collected, scored: bool) -> PairRows:
    """Give what was collected, each pair once.

    Raises:
        InvalidRequest: no row can be used.
    """
    pairs = np.array(collected.pairs, np.int32).reshape(-1, 2)
    lines = np.array(collected.lines, np.int32)
    scores = np.array(collected.scores, np.float64) if scored else None
    kept = _first_of_each(pairs, lines, scores, collected)
    if not kept.any():
        such = "".join(f" {one.where}: {one.says}" for one in collected.problems.all()[:1])
        raise InvalidRequest(f"'{path}' has no rows of pairs that can be used.{such}")
    folds = np.array(collected.folds, np.int16)[kept] if collected.folds else np.empty(0, np.int16)
    failures: tuple[tuple[int, str], ...] = ()
    unclear = 0
    if scores is not None:
        failures, unclear = _failed_pictures(pairs[kept], scores[kept], kept, collected)
        scores = scores[kept]
    return PairRows(
        path.name,
        tuple(collected.names),
        pairs[kept],
        lines[kept],
        np.array(collected.same, np.int8)[kept],
        collected.subjects,
        collected.problems,
        folds if len(np.unique(folds)) > 1 else None,
        scores,
        failures,
        unclear,
    )


def _first_of_each(
    pairs: NDArray[np.int32],
    lines: NDArray[np.int32],
    scores: NDArray[np.float64] | None,
    collected: Collected,
) -> NDArray[np.bool_]:
    """Choose the first row of each two pictures, in whichever order: a pair is one trial."""
    count = max(len(collected.names), 1)
    keys = pairs.min(axis=1).astype(np.int64) * count + pairs.max(axis=1)
    _, firsts, which = np.unique(keys, return_index=True, return_inverse=True)
    kept = np.zeros(len(pairs), bool)
    kept[firsts] = True
    repeated = np.flatnonzero(~kept)
    for again in repeated[:MOST_TOLD].tolist():
        first = int(firsts[which[again]])
        differs = (
            f" It scores {scores[again]:g} here and {scores[first]:g} there."
            if scores is not None and scores[again] != scores[first]
            else ""
        )
        collected.problems.add_row(
            _REPEATED,
            int(lines[again]),
            f"These two pictures are compared in line {lines[first]} already. This row is left"
            f" out.{differs}",
        )
    if len(repeated) > MOST_TOLD:
        collected.problems.add_more(_REPEATED, len(repeated) - MOST_TOLD)
    return kept


def _failed_pictures(
    pairs: NDArray[np.int32],
    scores: NDArray[np.float64],
    kept: NDArray[np.bool_],
    collected: Collected,
) -> tuple[tuple[tuple[int, str], ...], int]:
    """Tell which pictures failed: those that never score, compared with one that does.

    Gives them, and how many failed comparisons that does not explain.
    """
    works = np.zeros(len(collected.names), bool)
    scored = np.isfinite(scores)
    works[pairs[scored].ravel()] = True
    rows = np.flatnonzero(kept)
    why: dict[int, str] = {n: said for n, said in collected.sure.items() if not works[n]}
    failed = [(pairs[n].tolist(), collected.reasons[int(rows[n])]) for n in np.flatnonzero(~scored)]
    for (a, b), reason in failed:
        for one, other in ((a, b), (b, a)):
            if works[other] and not works[one]:
                why.setdefault(one, reason)
    unclear = sum(a not in why and b not in why for (a, b), _ in failed)
    if unclear:
        collected.problems.add_about_all(
            f"{unclear:,} comparisons failed, and nothing says of which picture: they count as"
            " failed comparisons and not as failures to acquire. Columns failure_a and failure_b"
            " can say it."
        )
    return tuple(sorted(why.items())), unclear
