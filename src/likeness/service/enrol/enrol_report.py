"""What came of the pictures of an enrolment? CSV with a row for each, written as it goes."""

import csv
from collections.abc import Iterable, Iterator
from typing import TextIO

from likeness.service.enrol.csv_cells import as_text
from likeness.service.enrol.enrol import Result

COLUMNS = ("path", "outcome", "reason", "subject", "reference_id", "remarks")


def reported(results: Iterable[Result], file: TextIO) -> Iterator[Result]:
    """Pass every result on once its row is written."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        writer.writerow(map(as_text, row_of(result).values()))
        yield result


def row_of(result: Result) -> dict[str, str]:
    """Give the values of `COLUMNS`; what there is none of is empty."""
    values = (
        result.picture.place,
        result.outcome,
        "" if result.error is None else str(result.error),
        result.picture.subject,
        str(result.reference_id or ""),
        "; ".join(result.remarks),
    )
    return dict(zip(COLUMNS, values, strict=True))
