"""Problems of rows, as they are found; a kind that comes a thousand times is told in numbers."""

from collections import Counter

from likeness.service.evaluate.findings import RowProblem

MOST_TOLD = 100
"""Rows of one kind of problem that are told one by one."""


class Problems:
    """Keeps what is wrong, row by row; of each kind the first hundred, and how many more."""

    def __init__(self, source: str) -> None:
        """Keep those of a source, which `where` of a problem names where it names no row."""
        self._source = source
        self._told: dict[str, list[RowProblem]] = {}
        self._counts = Counter[str]()

    def add(self, kind: str, where: str, says: str) -> None:
        """Add one; `kind` says in a few words what such rows are, such as `rows without score`."""
        self._counts[kind] += 1
        told = self._told.setdefault(kind, [])
        if len(told) < MOST_TOLD:
            told.append(RowProblem(where, says))

    def add_row(self, kind: str, line: int, says: str) -> None:
        """Add one of a row of the source."""
        self.add(kind, f"{self._source}, line {line}", says)

    def add_more(self, kind: str, count: int) -> None:
        """Count more of a kind of which enough is told."""
        self._counts[kind] += count

    def add_about_all(self, says: str) -> None:
        """Add one that is about the whole source."""
        self.add(says, self._source, says)

    def all(self) -> tuple[RowProblem, ...]:
        """Give them, kind by kind; first those of the whole source, which rows would hide."""
        given = [one for told in self._told.values() for one in told if one.where == self._source]
        for kind, told in self._told.items():
            given += [one for one in told if one.where != self._source]
            more = self._counts[kind] - len(told)
            if more:
                given.append(RowProblem(self._source, f"{more:,} more {kind}."))
        return tuple(given)
