"""`likeness audit --attribute`: how often a system's answers about people's looks are wrong."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from likeness import __version__
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.findings import print_blocks, print_problems
from likeness.cli.terminal.output_file import write_reports
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import require_consent
from likeness.errors import InvalidRequest
from likeness.reports import attributes_at_terminal, write_attributes
from likeness.service.evaluate.attributes import (
    AttributeReport,
    audit_predictions,
    holds_ages,
    labels_of,
    require_labels,
    to_json,
)
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.predictions import predictions_of, read_predictions
from likeness.service.evaluate.readers import DataDescription, read_labels

_ENDPOINT, _OWN = "rekognition", "likeness"
_WORK = "work"


def audit_attribute(
    manifest: Path,
    attribute: str,
    *,
    systems: Sequence[str],
    by: Sequence[str] = (),
    within: float | None = None,
    root: Path | None = None,
    description: DataDescription,
    system_name: str = "",
    system_version: str = "not stated",
    endpoint: str | None = None,
    region: str = "us-east-1",
    calls_per_second: float = 5.0,
    price: float | None = None,
    yes: bool = False,
    out: Path,
    as_json: bool = False,
) -> ExitCode:
    """Judge answers by the labels of a manifest, and write report.html and report.json.

    Args:
        manifest: CSV with `path`, `subject` if known, and columns of labels.
        attribute: the column that answers are judged by.
        systems: one of `rekognition` (DetectFaces of an endpoint) and a CSV file of answers.
        by: further columns to group by.
        within: how many years an answer may be off.
        root: the folder that paths start from; for an endpoint alone.
        description: what is said of the data.
        system_name: what the system is called; the file's name, or the endpoint, without.
        system_version: which version of it.
        endpoint: the endpoint's URL; Amazon's own of the region without.
        region: the endpoint's region.
        calls_per_second: how many calls it may get.
        price: US dollars of a call; Amazon's list for its own without.
        yes: do not ask before calls are made.
        out: the folder for the report, and for what an interrupted run has so far.
        as_json: print the report's JSON instead of text.

    Raises:
        LikenessError: there is nothing to judge, or the endpoint cannot be asked any more.
    """
    if len(systems) != 1 or systems[0] == _OWN:
        raise InvalidRequest(
            "Likeness guesses nobody's attributes; it judges one system that does. Give --system"
            f" {_ENDPOINT}, or --system ANSWERS.csv with the columns path,predicted."
        )
    if systems[0] == _ENDPOINT:
        report = _of_endpoint(
            manifest,
            attribute,
            by=by,
            within=within,
            root=root,
            description=description,
            name=system_name,
            version=system_version,
            endpoint=endpoint,
            region=region,
            calls_per_second=calls_per_second,
            price=price,
            yes=yes,
            work=out / _WORK,
        )
    else:
        file = Path(systems[0])
        if not file.is_file():
            raise InvalidRequest(
                f"No such system {systems[0]!r}. Give {_ENDPOINT}, or a CSV file of answers with"
                " the columns path,predicted."
            )
        report = audit_predictions(
            read_labels(manifest),
            attribute,
            read_predictions(file, attribute),
            by=by,
            system=SystemFacts(system_name or file.name, "answers", system_version),
            made_at=datetime.now(UTC),
            made_by=f"Likeness {__version__}",
            description=description,
            source=manifest.name,
            within=within,
        )
    document = to_json(report)
    page, written = write_reports(out, write_attributes(report), document)
    shutil.rmtree(out / _WORK, ignore_errors=True)
    if as_json:
        print_json(json.loads(document))
    else:
        print_blocks(attributes_at_terminal(report))
        print_problems(report.problems)
        print(f"Written to {plain(page)} and {plain(written)}")
    return ExitCode.DONE


def _of_endpoint(
    manifest: Path,
    attribute: str,
    *,
    by: Sequence[str],
    within: float | None,
    root: Path | None,
    description: DataDescription,
    name: str,
    version: str,
    endpoint: str | None,
    region: str,
    calls_per_second: float,
    price: float | None,
    yes: bool,
    work: Path,
) -> AttributeReport:
    """Have an endpoint describe every picture, and judge what it says."""
    # It brings boto3's half with it, which a file of answers needs not.
    from likeness.service.evaluate.endpoint.prices import Cost
    from likeness.service.evaluate.rekognition_system import RekognitionSystem

    plan, _ = read_data(DataSource(path=manifest, root=root, description=description))
    labels = labels_of(plan)
    # Before anything is asked, and paid for.
    require_labels(labels, attribute, by, within)

    def confirm(cost: Cost) -> None:
        require_consent(cost.question, yes, "nothing was asked")

    system = RekognitionSystem(
        endpoint,
        region,
        calls_per_second,
        work,
        confirm,
        None if price is None else {"DetectFaces": price},
    )
    with counting("Pictures") as tell:
        described = system.answers_of(plan, tell)
    facts = replace(described.system, name=name or described.system.name)
    if version != "not stated":
        facts = replace(facts, version=version)
    return audit_predictions(
        labels,
        attribute,
        predictions_of(plan, described, ages=holds_ages(labels, attribute)),
        by=by,
        system=facts,
        made_at=datetime.now(UTC),
        made_by=f"Likeness {__version__}",
        description=description,
        data=plan.data,
        within=within,
    )
