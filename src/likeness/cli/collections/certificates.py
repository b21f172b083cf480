"""`likeness collections certificates`: certificates of erasures, whichever door they came by."""

from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_for
from likeness.cli.certificates import counts_in_words, give_certificate
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson, CertificateTo
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import minute
from likeness.errors import InvalidRequest
from likeness.service.erase.certificates import (
    ErasuresPage,
    ListedErasure,
    list_certificates,
    show_certificate,
)
from likeness.v1.erasure_answers import ErasuresAnswer

_OPERATION = "collections certificates"


def certificates(
    certificate_id: Annotated[
        UUID | None, typer.Argument(metavar="[ID]", help="The certificate to give again.")
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="List only a collection's; by its id where it is erased."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="How many to list, at most 1000.")
    ] = 100,
    after: Annotated[
        UUID | None,
        typer.Option(metavar="ID", help="Begin after this one; a list says how it goes on."),
    ] = None,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
) -> None:
    """List the certificates of erasures, newest first, or give one again as it was issued.

    Those of deleted faces, users and collections, and of sweeps, are among them.
    """
    if certificate_id is None:
        if certificate is not None:
            raise InvalidRequest("Which certificate to write is not clear. Give its ID.")
        with rows_for(_OPERATION) as (rows, caller):
            page = list_certificates(rows, caller, collection=collection, after=after, limit=limit)
        document = ErasuresAnswer.of(page).model_dump(mode="json")
        print_answer(as_json, document, _in_words(page))
        return
    if certificate is not None:
        check_output(certificate)
    with rows_for(_OPERATION) as (rows, caller):
        found = show_certificate(rows, caller, certificate_id)
    give_certificate(found, certificate, as_json)


def _in_words(page: ErasuresPage) -> list[str]:
    lines = [_line(one) for one in page.listed]
    if page.after is not None:
        lines.append(f"The next: --after {page.after}")
    return lines or ["Nothing was erased yet."]


def _line(one: ListedErasure) -> str:
    erasure = one.erasure
    counts = counts_in_words(erasure.subjects, erasure.references, erasure.whole_collection)
    named = str(erasure.collection_id) if one.collection is None else plain(one.collection)
    unfinished = "" if erasure.certificate else ", not finished"
    if erasure.damaged:
        return f"{erasure.id}  {minute(erasure.begun_at)}  damaged. Restore its row from a backup."
    return f"{erasure.id}  {minute(erasure.begun_at)}  {counts} of {named}{unfinished}"
