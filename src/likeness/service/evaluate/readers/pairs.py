"""Plans of pairs that a file names, with scores or without."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import inside
from likeness.service.evaluate.readers.labels import NO_LABELS, Labels, key_of
from likeness.service.evaluate.readers.lfw_list import is_lfw_list
from likeness.service.evaluate.readers.pair_files import read_pair_list
from likeness.service.evaluate.readers.pair_rows import DIFFERENT, SAME, UNSAID, PairRows
from likeness.service.evaluate.readers.pictures import joined_with
from likeness.service.evaluate.readers.planning import (
    NOTHING_SAID,
    DataDescription,
    Listed,
    ListedPairs,
    is_there,
    plan_listed,
)
from likeness.service.evaluate.readers.problems import MOST_TOLD
from likeness.service.evaluate.trials import Plan

_CONTRADICTING = "rows whose column `same` contradicts others"
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG", ".PNG")


def plan_of_pairs(
    path: Path,
    *,
    root: Path | None = None,
    labels: Labels = NO_LABELS,
    description: DataDescription = NOTHING_SAID,
) -> Plan:
    """Plan the pairs of a file: LFW's list, or CSV with `path_a`, `path_b`.

    Whose pictures are, `subject_a` and `subject_b` say, or labels with `subject`, or `same` (1 or
    0). Of `same` alone, pictures that a chain of pairs of one person links are one person's.

    Args:
        path: the file.
        root: the folder that paths start from; without, the file's own.
        labels: labels of the pictures or of people.
        description: what the user says of the data.

    Raises:
        InvalidRequest: it is no such file, nothing says who is who, or no picture is there.
    """
    rows = read_pair_list(path)
    folder = root or path.parent
    endings = _ENDINGS if is_lfw_list(path) else ()
    return _plan(rows, folder, labels, description, endings=endings, must_exist=True)


def plan_of_scores(
    scores: PairRows,
    *,
    root: Path | None = None,
    labels: Labels = NO_LABELS,
    description: DataDescription = NOTHING_SAID,
) -> Plan:
    """Plan the pairs that `read_scores` read; the pictures need not be there.

    Where they are below `root`, their files are looked at for copies.

    Raises:
        InvalidRequest: nothing says who is who.
    """
    return _plan(scores, root, labels, description, must_exist=False)


def _plan(
    rows: PairRows,
    root: Path | None,
    labels: Labels,
    description: DataDescription,
    *,
    must_exist: bool,
    endings: tuple[str, ...] = (),
) -> Plan:
    subjects = _subjects(rows, labels)
    problems = rows.problems
    listed: list[Listed] = []
    usable = np.zeros(len(rows.names), bool)
    named = np.unique(rows.pairs)
    for number in named.tolist():
        name = rows.names[number]
        if number not in subjects:
            problems.add(
                "pictures of nobody",
                name,
                f"Nothing says whose '{name}' is. Its pairs are left out.",
            )
        try:
            place = Path(name) if root is None else _found(root, name, endings)
            usable[number] = number in subjects
        except InvalidRequest as error:
            place = Path(name)
            usable[number] = number in subjects and not must_exist
            then = "Its pairs are left out." if must_exist else "Its file is not looked at."
            problems.add("paths that cannot be used", name, f"{error} {then}")
        listed.append(Listed(place, name, subjects.get(number, ""), name))
    numbers = np.cumsum(usable, dtype=np.int32) - 1
    there = usable[rows.pairs].all(axis=1)
    chosen = [one for one, use in zip(listed, usable[named], strict=True) if use]
    if not chosen:
        such = "".join(f" {one.where}: {one.says}" for one in problems.all()[:1])
        raise InvalidRequest(f"No pair of '{rows.source}' can be used.{such}")
    pairs = ListedPairs(
        np.asarray(numbers[rows.pairs[there]], np.int32),
        rows.lines[there],
        None if rows.folds is None else rows.folds[there],
    )
    return plan_listed(
        joined_with(chosen, labels, problems, keep_subjects=True),
        rows.source,
        description,
        problems,
        pairs=pairs,
        must_exist=must_exist,
        said=labels.problems,
    )


def _found(root: Path, name: str, endings: tuple[str, ...]) -> Path:
    path = inside(root, name)
    if endings and not is_there(path):
        for ending in endings:
            other = inside(root, str(Path(name).with_suffix(ending)))
            if is_there(other):
                return other
    return path


def _subjects(rows: PairRows, labels: Labels) -> Mapping[int, str]:
    """Say whose pictures are: by the rows, by labels, or by which pairs are of one person."""
    subjects = dict(rows.subjects)
    for number, name in enumerate(rows.names):
        row = labels.of_pictures.get(key_of(name))
        if row is not None and row.subject:
            subjects.setdefault(number, row.subject)
    unsaid = [number for number in range(len(rows.names)) if number not in subjects]
    if len(unsaid) == len(rows.names):
        if (rows.same == UNSAID).all():
            raise InvalidRequest(
                f"'{rows.source}' does not say whose its pictures are. Add a column same with 1 or"
                " 0, or subject_a and subject_b, or give a manifest with path and subject."
            )
        subjects = _linked(rows)
        rows.problems.add_about_all(
            "Only pairs say who is who: pictures that no chain of pairs of one person links count"
            " as different people's."
        )
    _check_same(rows, subjects)
    return subjects


def _linked(rows: PairRows) -> dict[int, str]:
    """Take pictures that pairs of one person link for one person's, named by the first."""
    parents = list(range(len(rows.names)))

    def first_of(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for a, b in rows.pairs[rows.same == SAME].tolist():
        one, other = sorted((first_of(a), first_of(b)))
        parents[other] = one
    said = np.unique(rows.pairs[rows.same != UNSAID])
    return {number: rows.names[first_of(number)] for number in said.tolist()}


def _check_same(rows: PairRows, subjects: Mapping[int, str]) -> None:
    """Tell rows that say otherwise than what is known of their pictures."""
    names = [subjects.get(number, f"\0{number}") for number in range(len(rows.names))]
    people: NDArray[np.intp] = np.unique(names, return_inverse=True)[1]
    one_person = people[rows.pairs[:, 0]] == people[rows.pairs[:, 1]]
    wrong = np.flatnonzero((rows.same != UNSAID) & (one_person != (rows.same == SAME)))
    for row in wrong[:MOST_TOLD].tolist():
        a, b = (rows.names[number] for number in rows.pairs[row].tolist())
        kind = "1" if rows.same[row] != DIFFERENT else "0"
        known = "one person's" if one_person[row] else "two people's"
        rows.problems.add_row(
            _CONTRADICTING,
            int(rows.lines[row]),
            f"same is {kind}, and '{a}' and '{b}' are {known} by all else. They count so.",
        )
    if len(wrong) > MOST_TOLD:
        rows.problems.add_more(_CONTRADICTING, len(wrong) - MOST_TOLD)
