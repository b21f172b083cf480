"""Rows of pairs, with scores or without: CSV `path_a,path_b[,...]`, or LFW's lists of pairs.

LFW's lists begin with how many mated pairs there are, and as many others, or how many folds of
how many: `1100`, or `10<tab>300`. Rows are `name i j` or `name1 i name2 j`, separated by tabs, and
the picture is `name/name_0001.jpg`.
"""

import math
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import of_text, read_rows
from likeness.service.evaluate.readers.labels import checked_picture, key_of
from likeness.service.evaluate.readers.problems import MOST_TOLD, Problems
from likeness.terms import checked_name

PAIR = ("path_a", "path_b")
SAME, DIFFERENT, UNSAID = 1, 0, -1
_TRUE = frozenset({"1", "true", "yes", "same", "mated", "genuine"})
_FALSE = frozenset({"0", "false", "no", "different", "non-mated", "impostor"})
_OPTIONAL = ("same", "subject_a", "subject_b", "failure", "failure_a", "failure_b")
# What `likeness compare --pairs --out` writes beside that.
_OURS = (
    *("raw_score", "score", "similarity", "faces", "fmr_any"),
    *("left", "top", "right", "bottom", "extrapolated"),
)
_LFW_HEAD = re.compile(r"\s*\d+(\s+\d+)?\s*")
# A message of ours may begin with the picture's name, and goes on with its size.
_NAMED = re.compile(r"^'[^']*'[:,]? ?(?=\S)")
_DETAILS = re.compile(r" \(|: |[.;] ")
_LONGEST_REASON = 80
_LONGEST_LINE = 4096
_LONGEST_LIST = 100_000_000
# Larger ones are marks for something else, and overflow where they are squared.
_LARGEST = 1e30
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
class _Collected:
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


def is_lfw_list(path: Path) -> bool:
    """Say whether a file begins as LFW's lists of pairs do.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_LINE)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error}). Check it.") from error
    return _LFW_HEAD.fullmatch(first.decode("utf-8-sig", "replace")) is not None


def read_pair_list(path: Path) -> PairRows:
    """Read a list of pairs without scores: LFW's, or CSV with `path_a`, `path_b`.

    Raises:
        InvalidRequest: it is no such file, or has no row that can be used.
    """
    if is_lfw_list(path):
        return _read_lfw(path)
    return _read_csv(path, None, distances=False)


def read_scores(path: Path, *, column: str = "score", distances: bool = False) -> PairRows:
    """Read scores of pairs: CSV with `path_a`, `path_b` and a column of scores.

    A score that is empty, or is no finite number, is a comparison that failed; column `failure`
    says why, `failure_a` and `failure_b` of which picture. Columns `same`, or `subject_a` and
    `subject_b`, say whose pictures they are. What `likeness compare --pairs --out` writes is such a
    file.

    Args:
        path: the file.
        column: the column of scores, such as `raw_score`.
        distances: lower is more alike; scores are turned round.

    Raises:
        InvalidRequest: it is no such file, or has no row that can be used.
    """
    return _read_csv(path, column, distances=distances)


def _read_csv(path: Path, column: str | None, *, distances: bool) -> PairRows:
    collected = _Collected(problems := Problems(path.name))

    def skip(line: int, error: InvalidRequest) -> None:
        problems.add_row("rows that cannot be read", line, f"{error} The row is left out.")

    checked = False
    for line, row in read_rows(path, PAIR, skip=skip, distinct=True):
        if not checked:
            _check_columns(path, row, column, problems)
            checked = True
        if len(collected.lines) >= _LONGEST_LIST:
            raise InvalidRequest(f"'{path}' has more than {_LONGEST_LIST:,} rows. Split it.")
        _take_row(line, row, column, distances, collected, skip)
    rows = _finished(path, collected, column is not None)
    if rows.scores is not None:
        _check_scale(rows)
    return rows


def _check_columns(
    path: Path, row: Mapping[str, str], column: str | None, problems: Problems
) -> None:
    if column is not None and column not in row:
        raise InvalidRequest(
            f"'{path}': no column {column}, the columns are {','.join(row)}. Name the one with"
            " scores."
        )
    unknown = [one for one in row if one and one not in (*PAIR, *_OPTIONAL, *_OURS, column)]
    if unknown:
        problems.add_about_all(
            f"Columns that nothing reads: {', '.join(unknown)}. Labels of pictures come from a"
            " manifest."
        )


def _take_row(
    line: int,
    row: Mapping[str, str],
    column: str | None,
    distances: bool,
    collected: _Collected,
    skip: Callable[[int, InvalidRequest], None],
) -> None:
    problems = collected.problems
    try:
        a, b = (collected.number(of_text(row[name])) for name in PAIR)
    except InvalidRequest as error:
        skip(line, error)
        return
    if a == b:
        problems.add_row(
            "rows that compare a picture with itself",
            line,
            f"'{row['path_a']}' is compared with itself. The row is left out.",
        )
        return
    try:
        for number, name in ((a, "subject_a"), (b, "subject_b")):
            if value := row.get(name, "").strip():
                collected.tell_subject(line, number, checked_name(value, "A subject's name"))
    except InvalidRequest as error:
        skip(line, error)
        return
    said = row.get("same", "").strip().lower()
    same = SAME if said in _TRUE else DIFFERENT if said in _FALSE else UNSAID
    if said and same == UNSAID:
        problems.add_row(
            "rows whose column `same` is neither 1 nor 0",
            line,
            f"same is {said[:40]!r}, neither 1 nor 0. The row is left out.",
        )
        return
    if column is not None:
        _take_score(line, row, a, b, column, distances, collected)
    collected.pairs.extend((a, b))
    collected.lines.append(line)
    collected.same.append(same)


def _take_score(
    line: int,
    row: Mapping[str, str],
    a: int,
    b: int,
    column: str,
    distances: bool,
    collected: _Collected,
) -> None:
    text, score = row[column].strip(), math.nan
    sides = {
        number: _kind_of(said)
        for number, name in ((a, "failure_a"), (b, "failure_b"))
        if (said := row.get(name, "").strip())
    }
    reason = _kind_of(row.get("failure", "").strip()) or "; ".join(sides.values())
    collected.sure |= sides
    if text:
        with suppress(ValueError):
            score = float(text)
        if not abs(score) < _LARGEST:
            reason = reason or f"score {text[:20]!r}"
            collected.problems.add_row(
                "rows whose score is no number",
                line,
                f"{column} is {text[:40]!r}, no number that scores can be. The comparison counts as"
                " failed.",
            )
        elif reason:
            collected.problems.add_row(
                "rows with a score and a failure",
                line,
                f"{column} is {text[:40]}, and there is a failure: {reason[:80]}. The comparison"
                " counts as failed.",
            )
    elif not reason:
        reason = "no score"
        collected.problems.add_row(
            "rows without score", line, f"{column} is empty. The comparison counts as failed."
        )
    if reason:
        collected.reasons[len(collected.lines)] = reason
        collected.scores.append(-math.inf)
    else:
        collected.scores.append(-score if distances else score)


def _kind_of(reason: str) -> str:
    """Cut a reason to what can be counted: its first sentence, without names and numbers."""
    said = _NAMED.sub("", of_text(reason))
    return _DETAILS.split(said, maxsplit=1)[0].rstrip(".")[:_LONGEST_REASON].lower()


def _finished(path: Path, collected: _Collected, scored: bool) -> PairRows:
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
    collected: _Collected,
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
    collected: _Collected,
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


def _check_scale(rows: PairRows) -> None:
    """Notice scores that tell nothing, or that seem to be of two scales."""
    scores = rows.scores
    if scores is None:
        return
    finite = scores[np.isfinite(scores)]
    if len(finite) and finite.min() == finite.max():
        rows.problems.add_about_all(
            f"All {len(finite):,} scores are {finite[0]:g}: no threshold tells pairs apart."
        )
    # One to a hundred is how the same scores look as shares and as percentages.
    within, beyond = (finite >= 0) & (finite <= 1), (finite > 1) & (finite <= 100)
    least = max(3, len(finite) // 50)
    if (
        within.sum() + beyond.sum() == len(finite)
        and min(int(within.sum()), int(beyond.sum())) >= least
        and float(np.median(finite[beyond])) > 10
    ):
        rarer = within if within.sum() < beyond.sum() else beyond
        line = int(rows.lines[np.isfinite(scores)][rarer][0])
        rows.problems.add_row(
            "rows of another scale",
            line,
            f"Scores seem to be of two scales: {int(within.sum()):,} lie within 0 to 1,"
            f" {int(beyond.sum()):,} above, up to {finite.max():g}. This is the first of the rarer."
            " Rates of such scores mean nothing.",
        )


def _read_lfw(path: Path) -> PairRows:
    """Read LFW's list: its head, and rows that are folds of as many mated pairs as others."""
    collected = _Collected(problems := Problems(path.name))
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = [int(number) for number in file.readline(_LONGEST_LINE).split()]
            each = 2 * max(head[-1], 1)
            for line, text in enumerate(islice(file, _LONGEST_LIST), start=2):
                if not text.strip():
                    continue
                fold = min((line - 2) // each, 32_000)
                if _take_lfw_row(line, text, collected):
                    collected.folds.append(fold)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error}). Check it.") from error
    expected = each * (head[0] if len(head) > 1 else 1)
    if len(collected.lines) != expected:
        problems.add_about_all(
            f"The first line says {expected:,} pairs, {len(collected.lines):,} can be used."
        )
    return _finished(path, collected, scored=False)


def _take_lfw_row(line: int, text: str, collected: _Collected) -> bool:
    values: Sequence[str] = text.rstrip("\r\n").split("\t")
    if len(values) not in (3, 4):
        values = text.split()
    problems = collected.problems
    try:
        if len(values) == 3:
            values = (values[0], values[1], values[0], values[2])
        one, i, other, j = (value.strip() for value in values)
        names = [
            (checked_name(who, "A name"), f"{who}/{who}_{int(n):04}.jpg")
            for who, n in ((one, i), (other, j))
        ]
    except InvalidRequest as error:
        problems.add_row("rows that cannot be read", line, f"{error} The row is left out.")
        return False
    except ValueError:
        problems.add_row(
            "rows that cannot be read",
            line,
            "Neither `name i j` nor `name1 i name2 j`, separated by tabs. The row is left out.",
        )
        return False
    a, b = (collected.number(name) for _, name in names)
    if a == b:
        problems.add_row(
            "rows that compare a picture with itself",
            line,
            f"'{names[0][1]}' is compared with itself. The row is left out.",
        )
        return False
    for number, (who, _) in zip((a, b), names, strict=True):
        collected.tell_subject(line, number, who)
    collected.pairs.extend((a, b))
    collected.lines.append(line)
    collected.same.append(SAME if names[0][0] == names[1][0] else DIFFERENT)
    return True
