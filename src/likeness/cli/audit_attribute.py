"""`likeness audit --attribute`: how often a system's answers about people's looks are wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from likeness import __version__
from likeness.cli.evaluated import OWN, REKOGNITION, EndpointChoice, nth
from likeness.cli.terminal.exit_codes import ExitCode, resumable
from likeness.cli.terminal.findings import write_and_print
from likeness.cli.terminal.output_file import check_report_folder
from likeness.cli.terminal.progress import counting
from likeness.errors import InvalidRequest
from likeness.reports import attributes_at_terminal, write_attributes
from likeness.service.evaluate.attributes.audit import (
    Answers,
    audit_answers,
    holds_ages,
    labels_of,
    require_labels,
)
from likeness.service.evaluate.attributes.findings import to_json
from likeness.service.evaluate.attributes.predictions import predictions_of, read_predictions
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.readers import NOT_STATED, DataDescription, read_labels
from likeness.service.evaluate.trials import Plan


def audit_attribute(
    manifest: Path,
    attribute: str,
    *,
    systems: Sequence[str],
    by: Sequence[str] = (),
    within: float | None = None,
    root: Path | None = None,
    description: DataDescription,
    names: Sequence[str] = (),
    versions: Sequence[str] = (),
    endpoint: EndpointChoice,
    out: Path,
    as_json: bool = False,
) -> ExitCode:
    """Judge answers by the labels of a manifest, and write report.html and report.json.

    Args:
        manifest: CSV with `path`, `subject` if known, and columns of labels.
        attribute: the column that answers are judged by.
        systems: one or two of `rekognition` (DetectFaces of the endpoint) and CSV files of answers.
        by: further columns to group by.
        within: how many years an answer may be off.
        root: the folder that paths start from; for an endpoint alone.
        description: what is said of the data.
        names: what the report calls systems, in their order; as they are typed without.
        versions: which versions they are.
        endpoint: the endpoint to ask, where it is.
        out: the folder for the report, and for an endpoint's answers, which stay there.
        as_json: print the report's JSON instead of text.

    Raises:
        LikenessError: there is nothing to judge, or the endpoint cannot be asked any more.
    """
    if not systems or OWN in systems:
        raise InvalidRequest(
            "Likeness guesses nobody's attributes; it judges systems that do. Give --system"
            f" {REKOGNITION}, or --system ANSWERS.csv with the columns path,predicted."
        )
    for name in systems:
        if name != REKOGNITION and not Path(name).is_file():
            raise InvalidRequest(
                f"No such system {name!r}. Give {REKOGNITION}, or a CSV file of answers with the"
                " columns path,predicted."
            )
    check_report_folder(out)
    source = DataSource(path=manifest, root=root, description=description)
    # An endpoint needs the pictures, and then all are judged by those that are there.
    plan = read_data(source)[0] if REKOGNITION in systems else None
    labels = read_labels(manifest) if plan is None else labels_of(plan)
    # Before anything is asked, and paid for.
    require_labels(labels, attribute, by, within)
    files = {
        name: read_predictions(Path(name), attribute) for name in systems if name != REKOGNITION
    }
    answers = []
    for number, typed in enumerate(systems):
        if plan is not None and typed == REKOGNITION:
            said = _asked(plan, endpoint, out, holds_ages(labels, attribute))
        else:
            said = Answers(SystemFacts(Path(typed).name, "answers", NOT_STATED), files[typed])
        system = replace(
            said.system,
            name=nth(names, number) or said.system.name,
            version=nth(versions, number) or said.system.version,
        )
        answers.append(Answers(system, said.predictions))
    report = audit_answers(
        labels,
        attribute,
        answers,
        by=by,
        made_at=datetime.now(UTC),
        made_by=f"Likeness {__version__}",
        description=description,
        source=manifest.name,
        data=None if plan is None else plan.data,
        within=within,
    )
    write_and_print(
        out,
        page=write_attributes(report),
        document=to_json(report),
        blocks=attributes_at_terminal(report),
        problems=[*report.problems, *(one for each in report.findings for one in each.problems)],
        as_json=as_json,
    )
    return ExitCode.DONE


def _asked(plan: Plan, endpoint: EndpointChoice, out: Path, ages: bool) -> Answers:
    """Have an endpoint describe every picture."""
    with resumable(), counting("Pictures") as tell:
        described = endpoint.system(out).answers_of(plan, tell)
    return Answers(described.system, predictions_of(plan, described, ages=ages))
