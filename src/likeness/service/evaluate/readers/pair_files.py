"""Files of pairs: CSV `path_a,path_b[,...]` with scores or without, or LFW's lists."""

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import of_text, read_rows
from likeness.service.evaluate.readers.lfw_list import is_lfw_list, read_lfw_list
from likeness.service.evaluate.readers.pair_rows import (
    DIFFERENT,
    LONGEST_LIST,
    SAME,
    UNSAID,
    Collected,
    PairRows,
    finished,
)
from likeness.service.evaluate.readers.problems import Problems
from likeness.terms import checked_name

PAIR = ("path_a", "path_b")
_TRUE = frozenset({"1", "true", "yes", "same", "mated", "genuine"})
_FALSE = frozenset({"0", "false", "no", "different", "non-mated", "impostor"})
_OPTIONAL = ("same", "subject_a", "subject_b", "failure", "failure_a", "failure_b")
# What `likeness compare --pairs --out` writes beside that.
_OURS = (
    *("raw_score", "score", "similarity", "faces", "fmr_any"),
    *("left", "top", "right", "bottom", "extrapolated"),
)
# A message of ours may begin with the picture's name, and goes on with its size.
_NAMED = re.compile(r"^'[^']*'[:,]? ?(?=\S)")
_DETAILS = re.compile(r" \(|: |[.;] ")
_LONGEST_REASON = 80
# Larger ones are marks for something else, and overflow where they are squared.
_LARGEST = 1e30


@dataclass(frozen=True, slots=True)
class _ScoreColumn:
    """The column of scores, and whether lower ones are more alike."""

    name: str
    distances: bool


def read_pair_list(path: Path) -> PairRows:
    """Read a list of pairs without scores: LFW's, or CSV with `path_a`, `path_b`.

    Raises:
        InvalidRequest: it is no such file, or has no row that can be used.
    """
    if is_lfw_list(path):
        return read_lfw_list(path)
    return _read_csv(path, None)


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
    return _read_csv(path, _ScoreColumn(column, distances))


def _read_csv(path: Path, column: _ScoreColumn | None) -> PairRows:
    collected = Collected(problems := Problems(path.name))

    def skip(line: int, error: InvalidRequest) -> None:
        problems.add_row("rows that cannot be read", line, f"{error} The row is left out.")

    checked = False
    for line, row in read_rows(path, PAIR, skip=skip, distinct=True):
        if not checked:
            _check_columns(path, row, None if column is None else column.name, problems)
            checked = True
        if len(collected.lines) >= LONGEST_LIST:
            raise InvalidRequest(f"'{path}' has more than {LONGEST_LIST:,} rows. Split it.")
        _take_row(line, row, column, collected, skip)
    rows = finished(path, collected, column is not None)
    if rows.scores is not None:
        _check_scale(rows)
    return rows


def _check_columns(
    path: Path, row: Mapping[str, str], column: str | None, problems: Problems
) -> None:
    if column is not None and column not in row:
        raise InvalidRequest(
            f"'{path}': no column {column}, the columns are {','.join(row)}. Name the one with"
            f" scores, or rename it to {column}."
        )
    unknown = [one for one in row if one and one not in (*PAIR, *_OPTIONAL, *_OURS, column)]
    if unknown:
        problems.add_about_all(
            f"Columns that nothing reads: {', '.join(unknown)}. Name one of scores with"
            " --score-column; labels of pictures come from a manifest (--labels)."
        )


def _take_row(
    line: int,
    row: Mapping[str, str],
    column: _ScoreColumn | None,
    collected: Collected,
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
        _take_score(line, row, (a, b), column, collected)
    collected.pairs.extend((a, b))
    collected.lines.append(line)
    collected.same.append(same)


def _take_score(
    line: int,
    row: Mapping[str, str],
    pair: tuple[int, int],
    column: _ScoreColumn,
    collected: Collected,
) -> None:
    text, score = row[column.name].strip(), math.nan
    sides = {
        number: _kind_of(said)
        for number, name in zip(pair, ("failure_a", "failure_b"), strict=True)
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
                f"{column.name} is {text[:40]!r}, no number that scores can be. The comparison"
                " counts as failed.",
            )
        elif reason:
            collected.problems.add_row(
                "rows with a score and a failure",
                line,
                f"{column.name} is {text[:40]}, and there is a failure: {reason[:80]}. The"
                " comparison counts as failed.",
            )
    elif not reason:
        reason = "no score"
        collected.problems.add_row(
            "rows without score", line, f"{column.name} is empty. The comparison counts as failed."
        )
    if reason:
        collected.reasons[len(collected.lines)] = reason
        collected.scores.append(-math.inf)
    else:
        collected.scores.append(-score if column.distances else score)


def _kind_of(reason: str) -> str:
    """Cut a reason to what can be counted: its first sentence, without names and numbers."""
    said = _NAMED.sub("", of_text(reason))
    return _DETAILS.split(said, maxsplit=1)[0].rstrip(".")[:_LONGEST_REASON].lower()


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
