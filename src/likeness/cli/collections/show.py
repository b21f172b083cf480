"""`likeness collections list`, `show`, `subjects` and `references`: what there is, and who."""

from collections.abc import Iterator
from typing import Annotated

import typer

from likeness.app import Installation
from likeness.app.finders import adopt_cohort_and_require_comparable, model_of, require_complete
from likeness.cli.acts import rows_for, tell_of_better_model
from likeness.cli.installation import installation_here
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.terminal.answers import Json, print_answer, print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import box_in_words, folded, several
from likeness.errors import NotFound, StateError
from likeness.gallery import Collection
from likeness.service.enrol import collections as acts
from likeness.service.enrol import subjects as lists
from likeness.service.enrol.subjects import ListedReference, ListedSubject, Page
from likeness.service.search.documents import significant
from likeness.service.search.naming import Naming
from likeness.service.uses import Rows
from likeness.vision.models.template_model import recogniser_of

Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection's name.")]
Limit = Annotated[
    int, typer.Option(metavar="N", min=1, max=1000, help="How many to list, at most 1000.")
]
After = Annotated[
    int, typer.Option(metavar="NUMBER", help="Begin after this one; a list says how it goes on.")
]


def list_collections(as_json: AsJson = False) -> None:
    """List the collections of this home."""
    with rows_for("collections list") as (rows, caller):
        every = acts.list_collections(rows, caller)
    names = [plain(one.name) for one in every]
    recognisers = [plain(recogniser_of(one.model)) for one in every]
    widths = [max(map(len, words), default=0) for words in (names, recognisers)]
    lines = [
        f"{name:{widths[0]}}  {recogniser:{widths[1]}}  {size_in_words(one)}"
        for one, name, recogniser in zip(every, names, recognisers, strict=True)
    ]
    none = ["There is no collection yet: `likeness collections create NAME` makes one."]
    print_answer(as_json, {"collections": [collection_json(one) for one in every]}, lines or none)


def show(name: Name, as_json: AsJson = False) -> None:
    """Show all there is to know about a collection: its model, its size, what a match needs."""
    installation = installation_here()
    with rows_for("collections show", installation) as (rows, caller):
        collection = acts.describe_collection(rows, caller, name)
        hindrance = _hindrance(installation, rows, collection)
        naming = _naming(installation, rows, collection)
        tell_of_better_model(installation, collection)
    if as_json:
        print_json(
            {
                **collection_json(collection),
                "hindrance": hindrance,
                "calibrated_on": naming.calibration.measured_on if naming else None,
                "operating_point": search_json(naming) if naming else None,
            }
        )
        return
    for paragraph in _in_words(collection, naming, hindrance):
        print(folded(plain(paragraph)))
    if naming is not None:
        print(*search_in_words(naming), sep="\n")


def subjects(name: Name, limit: Limit = 100, after: After = 0, as_json: AsJson = False) -> None:
    """List the subjects of a collection, and how many references each has."""
    with rows_for("collections subjects") as (rows, caller):
        page = lists.list_subjects(rows, caller, name, after=lambda of: after, limit=limit)
    listed = [
        {
            "id": str(one.subject.id),
            "name": one.subject.name,
            "references": one.references,
            "created_at": one.subject.created_at.isoformat(),
        }
        for one in page.listed
    ]
    lines = (
        f"{one.subject.id}  {several(one.references, 'reference')}  {one.subject.name}"
        for one in page.listed
    )
    document = {"collection": name, "subjects": listed, "total": page.total, "after": page.after}
    print_answer(as_json, document, [*lines, _end(page, "subject")])


def references(
    name: Name,
    subject: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="List only this subject's, or those of an external id."),
    ] = None,
    limit: Limit = 100,
    after: After = 0,
    as_json: AsJson = False,
) -> None:
    """List the references of a collection, and whose they are."""
    with rows_for("collections references") as (rows, caller):
        page = lists.list_references(
            rows, caller, name, subject=subject, after=lambda of: after, limit=limit
        )
    lines = (
        f"{one.reference.id}  {one.reference.created_at:%Y-%m-%d}"
        f"  {box_in_words(one.reference.details.face.box)}"
        f"  {one.subject.name if one.subject else '(nobody named it)'}{_external_in_words(one)}"
        for one in page.listed
    )
    document = {
        "collection": name,
        "references": [_reference_json(one) for one in page.listed],
        "total": page.total,
        "after": page.after,
    }
    print_answer(as_json, document, [*lines, _end(page, "reference")])


def collection_json(collection: Collection) -> Json:
    """A collection and how large it is."""
    size = collection.size
    return {
        "name": collection.name,
        "id": str(collection.id),
        "recogniser": recogniser_of(collection.model),
        "model": collection.model,
        "dimensions": collection.dimensions,
        "cohort": collection.cohort_version,
        "subjects": size.subjects,
        "references": size.references,
        "retention_days": collection.retention_days,
        "created_at": collection.created_at.isoformat(),
    }


def size_in_words(collection: Collection) -> str:
    """Say how large a collection is, and how long it keeps people."""
    size, days = collection.size, collection.retention_days
    kept = "for good" if days is None else f"for {several(days, 'day')}"
    return (
        f"{several(size.subjects, 'subject')}, {several(size.references, 'reference')}, kept {kept}"
    )


def _in_words(
    collection: Collection, naming: Naming | None, hindrance: str | None
) -> Iterator[str]:
    yield f"{collection.name}: {size_in_words(collection)}, made {collection.created_at:%Y-%m-%d}."
    yield (
        f"Recogniser {recogniser_of(collection.model)}: templates of {collection.model},"
        f" {collection.dimensions} numbers each, evened out by {collection.cohort_version}."
    )
    if naming is None:
        yield "Not calibrated: nobody has measured what its scores mean."
    else:
        yield f"Calibrated on {naming.calibration.measured_on}."
    if hindrance is not None:
        yield f"Not to be searched now: {hindrance}"


def _hindrance(installation: Installation, rows: Rows, collection: Collection) -> str | None:
    """Say why this machine cannot search a collection; None where it can."""
    try:
        adopt_cohort_and_require_comparable(installation, rows, collection)
        require_complete(installation, collection, model_of(installation, collection))
    except StateError as error:
        return str(error)
    return None


def _naming(installation: Installation, rows: Rows, collection: Collection) -> Naming | None:
    """Say what a search by best or reference is worth; None where nobody has measured that."""
    try:
        calibration = rows.calibration_of(collection)
    except NotFound:
        return None
    measured, settings = collection.measured(), installation.settings
    return Naming.of(
        calibration,
        None if measured is None else measured.own,
        collection.size.references,
        fmr=settings.fmr,
        fpir=settings.fpir,
        warn_from=settings.group_fmr_warning,
    )


def _end(page: Page[ListedSubject] | Page[ListedReference], noun: str) -> str:
    further = "" if page.after is None else f" The next: --after {page.after}"
    return f"{len(page.listed)} of {several(page.total, noun)}.{further}"


def _external_in_words(one: ListedReference) -> str:
    external_id = one.reference.details.external_id
    return "" if external_id is None else f"  (external id {external_id})"


def _reference_json(one: ListedReference) -> Json:
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
