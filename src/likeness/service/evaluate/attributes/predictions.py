"""What a system says about people's attributes: answers by picture, and a reader of CSV files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import has_columns, of_text, read_rows
from likeness.service.evaluate.findings import RowProblem
from likeness.service.evaluate.readers.labels import key_of
from likeness.service.evaluate.readers.problems import Problems
from likeness.service.evaluate.trials import Plan
from likeness.terms import checked_text, composed

if TYPE_CHECKING:  # it brings boto3's half with it
    from likeness.service.evaluate.systems.endpoint.trial import Described

NO_ANSWER = "no answer"
"""The reason of a picture that no row answers."""
_PATHS = ("path", "name")
_PREDICTED = "predicted"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system says of the face in a picture: a value such as `Female` or `20-28`.

    Empty where it failed; `failure` says why. `confidence` is percent, None where it says none.
    """

    value: str
    confidence: float | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Answers by the spelling of pictures' names that `key_of` gives."""

    of_pictures: Mapping[str, Prediction] = field(default_factory=dict)
    problems: tuple[RowProblem, ...] = ()


def read_predictions(path: Path, attribute: str) -> Predictions:
    """Read a CSV file of answers: `path` or `name`, and `predicted` or a column of the attribute.

    `confidence` may say how sure each is, from 0 to 1 or in percent, and `failure` why there is no
    answer. A row without an answer is a failure; a picture's second row is left out.

    Raises:
        InvalidRequest: it is no such file, or has no rows.
    """
    problems = Problems(path.name)

    def skip(line: int, error: InvalidRequest) -> None:
        problems.add_row("rows that cannot be read", line, f"{error} The row is left out.")

    read: dict[str, tuple[int, Prediction, str]] = {}
    key_column, column = _columns(path, attribute)
    for line, row in read_rows(path, (key_column,), skip=skip, distinct=True):
        name = of_text(row[key_column])
        try:
            value = composed(row[column].strip())
            value = checked_text(value, column) if value else ""
        except InvalidRequest as error:
            skip(line, error)
            continue
        why = " ".join(row.get("failure", "").split())[:200]
        sure = row.get("confidence", "").strip()
        first = read.setdefault(
            key_of(name), (line, Prediction(value, None, "" if value else why or NO_ANSWER), sure)
        )
        if first[0] != line:
            problems.add_row(
                "rows of pictures that an earlier row answers",
                line,
                f"'{name}' is answered in line {first[0]} already. This row is left out.",
            )
    if not read:
        raise InvalidRequest(f"'{path}' has no rows that can be read. Give it some.")
    return Predictions(_with_confidence(read, problems), problems.all())


def predictions_of(plan: Plan, described: "Described", *, ages: bool) -> Predictions:
    """Take what an endpoint says of faces: their ages, from and to, or else their sex."""
    found = {}
    for sample, one in zip(plan.samples, described.samples, strict=True):
        value, confidence = one.gender, one.gender_confidence
        if ages:
            known = one.youngest is not None and one.oldest is not None
            value, confidence = f"{one.youngest:g}-{one.oldest:g}" if known else "", None
        why = "" if value else one.failure or NO_ANSWER
        found[key_of(sample.name)] = Prediction(value, confidence, why)
    return Predictions(found, described.problems)


def _columns(path: Path, attribute: str) -> tuple[str, str]:
    """Find which columns name pictures and answers."""
    for column in _PATHS:
        for answers in (_PREDICTED, attribute):
            if has_columns(path, (column, answers)):
                return column, answers
    raise InvalidRequest(
        f"'{path}' has no columns of answers. Begin the file with path,predicted or"
        f" path,{attribute}."
    )


def _with_confidence(
    read: Mapping[str, tuple[int, Prediction, str]], problems: Problems
) -> dict[str, Prediction]:
    """Add how sure each answer is, in percent; numbers of which none is above 1 are shares."""
    numbers: dict[str, float] = {}
    for key, (line, _, sure) in read.items():
        if not sure:
            continue
        try:
            number = float(sure.removesuffix("%"))
        except ValueError:
            number = -1.0
        if 0 <= number <= 100:
            numbers[key] = number
        else:
            problems.add_row(
                "confidences that are no share",
                line,
                f"confidence {sure[:20]!r} is not from 0 to 1, nor to 100. It counts as unknown.",
            )
    percent = 1.0 if any(number > 1 for number in numbers.values()) else 100.0
    return {
        key: Prediction(
            said.value, numbers[key] * percent if key in numbers else None, said.failure
        )
        for key, (_, said, _) in read.items()
    }
