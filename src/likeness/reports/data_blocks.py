"""What every report says of a system and of its data: facts, suspicions, rows that are wrong."""

from collections.abc import Sequence

from likeness.reports.blocks import Facts, Table
from likeness.reports.wording import NOTHING, score
from likeness.service.evaluate.findings import DataFacts, RowProblem, Suspicion, SystemFacts

_MOST_ROWS = 200
_MOST_OPEN = 10


def system_words(system: SystemFacts) -> str:
    """Name a system with its version, which nobody may have stated."""
    if system.version.startswith("not "):
        return f"{system.name}, version {system.version}"
    return " ".join(part for part in (system.name, system.version) if part)


def facts_of(system: SystemFacts | None, data: DataFacts) -> Facts:
    """Say what was tested, if anything, and on which data."""
    tested: tuple[tuple[str, str], ...] = ()
    if system is not None:
        tested = (
            ("System", system_words(system)),
            ("Model", system.model),
            ("Scores", system.score),
            *system.details.items(),
        )
    people = "not known; each picture counts as another person"
    return Facts(
        (
            *tested,
            ("Data", data.name),
            ("Version of the data", data.version),
            ("Provenance", data.provenance),
            ("Labelled by", data.labelled_by),
            ("Pictures", f"{data.images:,}"),
            ("People", f"{data.subjects:,}" if data.has_identities else people),
            ("SHA-256 of the data", data.digest),
        )
    )


def suspicions_of(suspicions: Sequence[Suspicion]) -> tuple[Table, ...]:
    """List what looks like copies and wrong labels; nothing where there is none."""
    if not suspicions:
        return ()
    return (
        Table(
            f"Suspected duplicates and wrong labels: {len(suspicions):,}",
            ("First", "Second", "Score", "What it looks like"),
            tuple(
                (
                    row.first,
                    row.second,
                    NOTHING if row.score is None else score(row.score),
                    row.says,
                )
                for row in suspicions[:_MOST_ROWS]
            ),
            note=left_out(len(suspicions), _MOST_ROWS, "suspicions"),
            folded=len(suspicions) > _MOST_OPEN,
        ),
    )


def problems_of(problems: Sequence[RowProblem]) -> tuple[Table, ...]:
    """List what is wrong with what was given; nothing where there is none."""
    if not problems:
        return ()
    return (
        Table(
            f"Problems with what was given: {len(problems):,}",
            ("Where", "What is wrong"),
            tuple((row.where, row.says) for row in problems[:_MOST_ROWS]),
            note=left_out(len(problems), _MOST_ROWS, "problems"),
            folded=len(problems) > _MOST_OPEN,
        ),
    )


def left_out(there: int, shown: int, what: str) -> str:
    """Say how many rows a table leaves out; nothing where it has all."""
    return "" if there <= shown else f" {there - shown:,} more {what} are in the JSON."
