"""Read what somebody wants evaluated, whatever form it has: people, pairs, a manifest or scores."""

from dataclasses import dataclass
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import columns_of, has_columns
from likeness.service.enrol.sources import is_folder
from likeness.service.evaluate.readers import (
    NO_LABELS,
    NOTHING_SAID,
    DataDescription,
    PairRows,
    is_lfw_list,
    plan_of_manifest,
    plan_of_pairs,
    plan_of_people,
    plan_of_scores,
    read_labels,
    read_scores,
)
from likeness.service.evaluate.readers.pair_files import PAIR
from likeness.service.evaluate.trials import Plan

_LIKE_SCORES = ("score", "similarity", "distance", "cosine")
_FORMS = (
    "Name a folder with one folder a person, LFW's list of pairs, or a CSV file with the columns"
    " path_a,path_b (pairs), path_a,path_b,score (scores) or path,subject (a manifest)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Where data are, and how to read them.

    `root` is the folder that paths start from, `labels` a file of labels, `column` that of scores
    in files, `distances` whether lower ones are more alike.
    `tests_pictures` says that a system was named that looks at pictures.
    """

    path: Path
    root: Path | None = None
    labels: Path | None = None
    description: DataDescription = NOTHING_SAID
    column: str = "score"
    distances: bool = False
    tests_pictures: bool = False


def read_data(source: DataSource) -> tuple[Plan, PairRows | None]:
    """Plan what is to be compared; scores come along where the data are a file of them.

    Raises:
        InvalidRequest: it is none of the forms, or cannot be read.
    """
    path, root, description = source.path, source.root, source.description
    labels = NO_LABELS if source.labels is None else read_labels(source.labels)
    if is_folder(path):
        return plan_of_people(path, labels=labels, description=description), None
    if not path.is_file():
        raise InvalidRequest(f"There is no '{path}'. {_FORMS}.")
    is_list = is_lfw_list(path)
    if not is_list and has_columns(path, (*PAIR, source.column)):
        scores = read_scores(path, column=source.column, distances=source.distances)
        planned = plan_of_scores(scores, root=root, labels=labels, description=description)
        return planned, scores
    if is_list or has_columns(path, PAIR):
        if not (is_list or source.tests_pictures):
            _refuse_unnamed_scores(path)
        return plan_of_pairs(path, root=root, labels=labels, description=description), None
    if has_columns(path, ("path",)):
        return _manifest(source), None
    columns = ", ".join(columns_of(path))
    there = f" (its first line: {columns})" if columns else ""
    raise InvalidRequest(f"'{path}' is none of the forms of data{there}. {_FORMS}.")


def _refuse_unnamed_scores(path: Path) -> None:
    """Refuse pairs with a column that looks like scores: somebody wants those, and not ours."""
    for column in columns_of(path):
        if any(word in column.casefold() for word in _LIKE_SCORES):
            raise InvalidRequest(
                f"'{path}' has pairs and a column {column!r}, which looks like scores. Give"
                f" --score-column {column} to evaluate them, or --system likeness to compare the"
                " pictures."
            )


def _manifest(source: DataSource) -> Plan:
    if source.labels is not None:
        raise InvalidRequest(
            f"'{source.path}' is a manifest and has its own labels. Leave out --labels."
        )
    return plan_of_manifest(
        source.path,
        root=source.root,
        has_identities=has_columns(source.path, ("path", "subject")),
        description=source.description,
    )
