"""Make a plan of what a source lists: look which files are there, and what they cannot carry.

What is not there is left out and said; what is there and fails is a failure of the system.
"""

import hashlib
import json
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.service.evaluate.findings import DataFacts, RowProblem, Suspicion
from likeness.service.evaluate.readers.problems import Problems
from likeness.service.evaluate.statement import first_of
from likeness.service.evaluate.trials import Plan, PlannedSample
from likeness.terms import in_parallel

NOT_STATED = "not stated"
_READERS = 4
_FEWEST_TO_JUDGE = 3


@dataclass(frozen=True, slots=True)
class DataDescription:
    """What the user says of the data: its name and version, where it comes from, who labelled it.

    `labelled_by` says on which scale, too. Without a name the source's is taken.
    """

    name: str = ""
    version: str = NOT_STATED
    provenance: str = NOT_STATED
    labelled_by: str = NOT_STATED


NOTHING_SAID = DataDescription()


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture as a source lists it: `where` is the row, or what else names it in problems."""

    path: Path
    name: str
    subject: str
    where: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ListedPairs:
    """Pairs of what is listed: numbers (n, 2) int32, and of each its line and fold."""

    numbers: NDArray[np.int32]
    lines: NDArray[np.int32]
    folds: NDArray[np.int16] | None = None


def plan_listed(
    listed: Sequence[Listed],
    source: str,
    description: DataDescription,
    problems: Problems,
    *,
    pairs: ListedPairs | None = None,
    has_identities: bool = True,
    must_exist: bool = True,
    said: tuple[RowProblem, ...] = (),
) -> Plan:
    """Make a plan of pictures, those that are not there left out.

    Args:
        listed: the pictures; names are their own.
        source: what the file or folder is called.
        description: what the user says of the data.
        problems: what was wrong so far; more is added.
        pairs: what to compare; every pair once without.
        has_identities: whether somebody said whose the pictures are.
        must_exist: leave out pictures whose file is not there; scores need no files.
        said: problems of other sources.

    Raises:
        InvalidRequest: nothing is left.
    """
    digests = list(in_parallel(_digest, [one.path for one in listed], _READERS))
    kept = [n for n, found in enumerate(digests) if isinstance(found, str) or not must_exist]
    for one, digest in zip(listed, digests, strict=True):
        if must_exist and isinstance(digest, OSError):
            says = f"'{one.name}' {_absent(digest)}."
            problems.add("pictures that cannot be read", one.where, says)
    if not kept:
        why = f"'{listed[0].name}' {_absent(digests[0])}"
        scores = "" if pairs is None else " Of a file of scores, name their --score-column."
        raise InvalidRequest(
            f"None of the {len(listed):,} pictures of '{source}' can be read: {why}. Check the"
            f" folder that paths start from (--root).{scores}"
        )
    samples = tuple(
        PlannedSample(listed[n].path, listed[n].name, listed[n].subject, dict(listed[n].labels))
        for n in kept
    )
    known = tuple(found if isinstance(found := digests[n], str) else "" for n in kept)
    numbers, folds = (None, None) if pairs is None else _renumbered(pairs, kept, len(listed))
    if pairs is not None and numbers is not None and len(pairs.numbers) > len(numbers):
        problems.add_about_all(
            f"{len(pairs.numbers) - len(numbers):,} pairs are left out with pictures that cannot be"
            " read."
        )
    suspicions = () if not has_identities else _duplicates(samples, known)
    if not has_identities:
        samples, known = _without_duplicates(samples, known, problems)
    facts = DataFacts(
        description.name or source,
        description.version,
        description.provenance,
        description.labelled_by,
        _digest_of(samples, known, numbers),
        len(samples),
        len({one.subject for one in samples}),
        has_identities,
    )
    none = np.empty(0, np.int32)
    plan = Plan(samples, numbers, none, none, facts, known, (), suspicions, folds)
    _say_what_is_missing(plan, problems)
    _check_labels(plan, problems)
    return Plan(
        samples, numbers, none, none, facts, known, problems.all() + said, suspicions, folds
    )


def _digest(path: Path) -> str | OSError:
    try:
        # To open a pipe might wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            return OSError(0, "is no file")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error
    except ValueError:  # a path with a null character
        return OSError(0, "is no path")


def _absent(error: str | OSError) -> str:
    why = (error.strerror if isinstance(error, OSError) else "") or "no regular file"
    return why if why.startswith("is ") else f"cannot be read ({why})"


def _renumbered(
    pairs: ListedPairs, kept: Sequence[int], count: int
) -> tuple[NDArray[np.int32], NDArray[np.int16] | None]:
    """Leave out pairs of pictures that are left out, and number the others anew."""
    new = np.full(count, -1, np.int32)
    new[kept] = np.arange(len(kept), dtype=np.int32)
    numbers = new[pairs.numbers]
    there = (numbers >= 0).all(axis=1)
    return numbers[there], None if pairs.folds is None else pairs.folds[there]


def _duplicates(samples: Sequence[PlannedSample], digests: Sequence[str]) -> tuple[Suspicion, ...]:
    """List files that are one picture, byte by byte."""
    first: dict[str, PlannedSample] = {}
    found = []
    for sample, digest in zip(samples, digests, strict=True):
        same = first.setdefault(digest, sample) if digest else sample
        if same is not sample:
            whose = (
                "Both are of the same subject: the pair flatters FNMR."
                if same.subject == sample.subject
                else f"One is said to be '{same.subject}', the other '{sample.subject}'."
            )
            found.append(
                Suspicion(
                    "duplicate", same.name, sample.name, None, f"The files are identical. {whose}"
                )
            )
    return tuple(found)


def _without_duplicates(
    samples: Sequence[PlannedSample], digests: Sequence[str], problems: Problems
) -> tuple[tuple[PlannedSample, ...], tuple[str, ...]]:
    """Leave out copies of pictures of nobody knows whom: they would be strangers who are one."""
    first: dict[str, str] = {}
    kept = []
    for number, (sample, digest) in enumerate(zip(samples, digests, strict=True)):
        if first.setdefault(digest, sample.name) == sample.name or not digest:
            kept.append(number)
        else:
            problems.add(
                "copies of pictures",
                sample.name,
                f"The file is the same as '{first[digest]}'. It is left out: it would count as a"
                " stranger.",
            )
    return tuple(samples[n] for n in kept), tuple(digests[n] for n in kept)


def _digest_of(
    samples: Sequence[PlannedSample], digests: Sequence[str], pairs: NDArray[np.int32] | None
) -> str:
    """Digest names, subjects, labels and files, and the pairs if they are listed, in any order."""
    lines = [
        json.dumps([one.name, digest, one.subject, sorted(one.labels.items())])
        for one, digest in zip(samples, digests, strict=True)
    ]
    whole = hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape"))
    if pairs is not None:
        names = np.empty(len(samples), np.int64)
        names[sorted(range(len(samples)), key=lambda n: samples[n].name)] = np.arange(len(samples))
        numbers = names[pairs]
        keys = numbers[:, 0] * len(samples) + numbers[:, 1]
        whole.update(np.sort(keys).astype("<i8").tobytes())
    return whole.hexdigest()


def _say_what_is_missing(plan: Plan, problems: Problems) -> None:
    """Say which figures the data cannot carry at all."""
    subjects = [sample.subject for sample in plan.samples]
    if plan.pairs is None:
        mated = any(count > 1 for count in Counter(subjects).values())
        strangers = len(set(subjects)) > 1
    else:
        numbers = np.unique(subjects, return_inverse=True)[1]
        same = numbers[plan.pairs[:, 0]] == numbers[plan.pairs[:, 1]]
        mated, strangers = bool(same.any()), bool((~same).any())
    if not mated:
        problems.add_about_all("No two pictures of one person are compared: there is no FNMR.")
    if not strangers:
        problems.add_about_all("No two people are compared: there is no FMR.")


def _check_labels(plan: Plan, problems: Problems) -> None:
    columns = sorted({column for sample in plan.samples for column in sample.labels})
    for column in columns:
        values = Counter(value for one in plan.samples if (value := one.labels.get(column, "")))
        if len(values) == 1:
            problems.add_about_all(
                f"Column '{column}' has one value, '{next(iter(values))}': nothing to compare."
            )
        _check_spellings(column, values, problems)
        if plan.data.has_identities:
            _check_one_value(column, plan, problems)


def _check_spellings(column: str, values: Mapping[str, int], problems: Problems) -> None:
    alike = defaultdict(list)
    for value in sorted(values):
        alike[" ".join(value.casefold().split())].append(value)
    for spelt in alike.values():
        if len(spelt) > 1:
            said = ", ".join(f"'{value}' ({values[value]})" for value in spelt)
            problems.add_about_all(
                f"Column '{column}' spells what may be one group in several ways: {said}. They"
                " count as different groups."
            )


def _check_one_value(column: str, plan: Plan, problems: Problems) -> None:
    """Tell people with two values; where most have several it labels pictures, as an age does."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    pictures = Counter[str]()
    for sample in plan.samples:
        if value := sample.labels.get(column, ""):
            pictures[sample.subject] += 1
            said[sample.subject].setdefault(value, sample.name)
    judged = [subject for subject, count in pictures.items() if count > 1]
    several = [subject for subject in judged if len(said[subject]) > 1]
    if len(several) >= _FEWEST_TO_JUDGE and 2 * len(several) > len(judged):
        problems.add_about_all(
            f"Column '{column}' has several values for {len(several):,} of the {len(judged):,}"
            " people with several pictures: it is taken as a label of pictures, not of people."
        )
        return
    for subject in several:
        values = first_of([f"'{value}' ('{name}')" for value, name in said[subject].items()])
        problems.add(
            "people with two values in a column",
            subject,
            f"Several values in column '{column}': {values}. Each picture counts by its own.",
        )


def is_there(path: Path) -> bool:
    """Say whether a name leads to anything; False where that cannot be known, too."""
    return os.path.lexists(path)
