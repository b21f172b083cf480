"""`likeness subject-report`: what is held of somebody, who searched for them and why."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.acts import home_for, rows_for
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.standard_input import picture_path, sample_of
from likeness.cli.terminal.words import minute, several, similarity_in_words
from likeness.errors import InvalidRequest, required
from likeness.gallery import Reference
from likeness.service.govern.subject_report import (
    CONTEST,
    SubjectReport,
    SubjectReports,
    UseOfSomebody,
    report_on_picture,
    report_on_subject,
)
from likeness.terms import UNDECLARED
from likeness.v1.subject_answers import SubjectReportsAnswer

_OPERATION = "subject-report"


def subject_report(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[SUBJECT]", help="The subject's name, or an external id."),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="A picture of the person instead; - is standard input.",
            parser=picture_path,
        ),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Look in this one. Default: in all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which references of somebody are held, who searched for them, and what for.

    That is a use of its own, and recorded. A picture is searched for in each collection.
    """
    if (subject is None) == (picture is None):
        raise InvalidRequest("Whom to report on is not clear. Give a SUBJECT, or --picture IMAGE.")
    if subject is not None:
        with rows_for(_OPERATION) as (rows, caller):
            found = report_on_subject(rows, caller, collection, subject)
    else:
        installation = installation_here()
        read = partial(sample_of, installation, required(picture, "a picture"))
        beside_server = "ask the server: POST /v1/subject-reports/picture"
        with home_for(_OPERATION, installation, beside_server) as (home, caller):
            found = report_on_picture(home, caller, collection, read)
    document = SubjectReportsAnswer.of(found).model_dump(mode="json")
    print_answer(as_json, document, _in_words(found))


def _in_words(found: SubjectReports) -> Iterator[str]:
    for one in found.reports:
        yield from _report_in_words(one)
    if not found.reports:
        yield "Nothing is held of anybody as alike."
    for each in found.unsearched:
        yield f"Not searched: {each.collection}. {each.reason}"
    since = "" if found.since is None else f" since {minute(found.since)}"
    yield f"Read: the ledger's entries{since}, {found.entries} in all."
    if found.unreadable:
        yield (
            f"Damaged: {found.unreadable} of them, so this may not be all. `likeness ledger verify`"
            " names the first."
        )
    yield "What to do about it:"
    for line in CONTEST:
        yield f"  {line}"
    if found.contact is not None:
        yield f"  Ask {found.contact}."


def _report_in_words(one: SubjectReport) -> Iterator[str]:
    alike = "" if one.similarity is None else f", {similarity_in_words(one.similarity)} alike"
    yield f"{one.collection}: {one.subject or 'somebody unnamed'}{alike}"
    yield f"  {several(len(one.references), 'reference')} held:"
    yield from (f"    {_reference_in_words(each)}" for each in one.references)
    returned = [each for each in one.uses if each.returned]
    others = [each for each in one.uses if not each.returned]
    yield f"  {several(len(returned), 'use')} gave them as a candidate:"
    yield from (f"    {_use_in_words(each)}" for each in returned)
    yield f"  {len(others)} more in the ledger about them:"
    yield from (f"    {_use_in_words(each)}" for each in others)


def _reference_in_words(one: Reference) -> str:
    external_id = one.details.external_id
    called = "" if external_id is None else f", external id {external_id}"
    until = "" if one.expires_at is None else f", until {minute(one.expires_at)}"
    return f"{one.id}  enrolled {minute(one.created_at)}{until}{called}"


def _use_in_words(one: UseOfSomebody) -> str:
    use = one.entry.use
    principal = use.principal
    named = [one.holder] if one.holder else []
    if principal.organisation != UNDECLARED:
        named.append(principal.organisation)
    holder = f" ({', '.join(named)})" if named else ""
    return (
        f"{minute(one.entry.at)}  {use.operation} ({one.entry.kind.value}) by {principal.id}"
        f"{holder} for {use.purpose}, receipt {one.receipt_id}"
    )
