"""LFW's lists of pairs.

They begin with how many mated pairs there are, and as many others, or how many folds of how many:
`1100`, or `10<tab>300`. Rows are `name i j` or `name1 i name2 j`, separated by tabs, and the
picture is `name/name_0001.jpg`.
"""

import re
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers.pair_rows import (
    DIFFERENT,
    LONGEST_LIST,
    SAME,
    Collected,
    PairRows,
    finished,
)
from likeness.service.evaluate.readers.problems import Problems
from likeness.terms import checked_name

_LFW_HEAD = re.compile(r"\s*\d{1,9}(\s+\d{1,9})?\s*")
_LONGEST_LINE = 4096


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


def read_lfw_list(path: Path) -> PairRows:
    """Read LFW's list: its head, and rows that are folds of as many mated pairs as others."""
    collected = Collected(problems := Problems(path.name))
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = [int(number) for number in file.readline(_LONGEST_LINE).split()]
            each = 2 * max(head[-1], 1)
            rows = iter(partial(file.readline, _LONGEST_LINE), "")
            for line, text in enumerate(islice(rows, LONGEST_LIST), start=2):
                if len(text) >= _LONGEST_LINE:
                    raise InvalidRequest(
                        f"'{path}', line {line} has more than {_LONGEST_LINE:,} characters: not a"
                        " list of pairs. Name another file."
                    )
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
    return finished(path, collected, scored=False)


def _take_lfw_row(line: int, text: str, collected: Collected) -> bool:
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
        a, b = (collected.number(name) for _, name in names)
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
