"""`likeness collections subjects` and `references`: who is in a collection, a page at a time."""

from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.app.on_record import on_record
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json, significant
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import box_in_words, several
from likeness.service.search.list_collection import (
    ListedReference,
    ListedSubject,
    Page,
    list_references,
    list_subjects,
)
from likeness.service.uses.record import Outcome
from likeness.terms import Action

Name = Annotated[str, typer.Argument(metavar="NAME", help="A collection.")]
Limit = Annotated[int, typer.Option(metavar="N", help="How many to list, at most 1000.")]
After = Annotated[
    int, typer.Option(metavar="NUMBER", help="Begin after this one; a list says how it goes on.")
]


def subjects(name: Name, limit: Limit = 100, after: After = 0, as_json: AsJson = False) -> None:
    """List the subjects of a collection, and how many references each has."""
    with Rows(installation()) as rows:
        collection = rows.collections.collection(name)
        with on_record(rows, Action.READ, "collections subjects", collection) as record:
            page = list_subjects(rows.collections, name, after=after, limit=limit)
            record.answered(Outcome(faces=len(page.listed)))
    if as_json:
        listed = [
            {
                "id": str(one.subject.id),
                "name": one.subject.name,
                "references": one.references,
                "created_at": one.subject.created_at.isoformat(),
            }
            for one in page.listed
        ]
        print_json(
            {"collection": name, "subjects": listed, "total": page.total, "after": page.after}
        )
        return
    for one in page.listed:
        print(
            f"{one.subject.id}  {several(one.references, 'reference')}  {plain(one.subject.name)}"
        )
    _print_end(page, "subject")


def references(
    name: Name,
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="List this subject's alone.")
    ] = None,
    limit: Limit = 100,
    after: After = 0,
    as_json: AsJson = False,
) -> None:
    """List the references of a collection, and whose they are."""
    with Rows(installation()) as rows:
        collection = rows.collections.collection(name)
        with on_record(rows, Action.READ, "collections references", collection) as record:
            page = list_references(
                rows.collections, name, subject=subject, after=after, limit=limit
            )
            record.answered(Outcome(faces=len(page.listed)))
    if as_json:
        listed = [_reference_json(one) for one in page.listed]
        print_json(
            {"collection": name, "references": listed, "total": page.total, "after": page.after}
        )
        return
    for one in page.listed:
        details = one.reference.details
        print(
            f"{one.reference.id}  {one.reference.created_at:%Y-%m-%d}"
            f"  {box_in_words(details.face.box)}"
            f"  {plain(one.subject.name) if one.subject else '(nobody named it)'}"
        )
    _print_end(page, "reference")


def _print_end(page: Page[ListedSubject] | Page[ListedReference], noun: str) -> None:
    print(
        f"{len(page.listed)} of {several(page.total, noun)}."
        + (f" The next: --after {page.after}" if page.after is not None else "")
    )


def _reference_json(one: ListedReference) -> dict[str, object]:
    reference, details = one.reference, one.reference.details
    return {
        "id": str(reference.id),
        "subject": one.subject.name if one.subject else None,
        "external_id": details.external_id,
        "sample_id": str(reference.sample_id),
        "box": {
            side: round(getattr(details.face.box, side), 1)
            for side in ("left", "top", "right", "bottom")
        },
        "confidence": significant(details.face.confidence),
        "created_at": reference.created_at.isoformat(),
        "expires_at": None if reference.expires_at is None else reference.expires_at.isoformat(),
    }
