"""`likeness collections create`, `retention`, `delete`, `sweep` and `verify`."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.finders import remember_choice
from likeness.cli.acts import home_for, rows_for
from likeness.cli.certificates import (
    certificate_json,
    erased_in_words,
    give_certificate,
    read_certificate,
)
from likeness.cli.collections.show import Name, collection_json, size_in_words
from likeness.cli.installation import prepare
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import AsJson, CertificateTo, Yes
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.prompts import require_yes
from likeness.cli.terminal.words import minute, several
from likeness.errors import InvalidRequest
from likeness.gallery import Collection, Verification
from likeness.service.enrol import collections as acts
from likeness.service.erase.certificates import verify_certificate
from likeness.service.erase.erase import (
    erase_collection_certified,
    sweep_collections,
)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    retention_days: Annotated[
        int | None,
        typer.Option(metavar="N", help="Days to keep references. Default: for good."),
    ] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Model that makes its templates. Default: LIKENESS_RECOGNISER."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an empty collection. It keeps its model, whatever the settings say later."""
    installation = prepare()
    with rows_for("collections create", installation, makes_home=True) as (rows, caller):
        collection = acts.create_collection(
            rows,
            caller,
            name,
            retention_days=retention_days,
            recogniser=recogniser,
        )
        remember_choice(installation, collection)
    made = f"Made collection {name}, of templates of {collection.model}. `likeness enrol` fills it."
    print_answer(as_json, collection_json(collection), [made])


def retention(
    name: Name,
    days: Annotated[
        str, typer.Argument(metavar="DAYS|never", help="Days after their enrolment, or never.")
    ],
    as_json: AsJson = False,
) -> None:
    """Choose when references are erased; those that are past it go with the next sweep."""
    if days != "never" and not days.lstrip("-").isdecimal():
        raise InvalidRequest(f"{days!r} is no number of days. Give a number, or never.")
    chosen = None if days == "never" else int(days)
    with rows_for("collections retention") as (rows, caller):
        collection = acts.choose_retention(rows, caller, name, chosen)
    chose = (
        f"{name}: {size_in_words(collection)}. The next sweep goes by that: a running server's,"
        " within the hour, or `likeness collections sweep`."
    )
    print_answer(as_json, collection_json(collection), [chose])


def delete(
    name: Name, yes: Yes = False, certificate: CertificateTo = None, as_json: AsJson = False
) -> None:
    """Erase a collection with all that it holds, down to the disk, and certify that."""
    if certificate is not None:
        check_output(certificate)

    def ask(of: Collection) -> None:
        require_yes(f"Erase {plain(name)} ({size_in_words(of)})?", yes)

    beside_server = "ask the server: DeleteCollection"
    with home_for("collections delete", beside_server=beside_server) as (home, caller):
        erased = erase_collection_certified(home, caller, name, ask)
    give_certificate(erased, certificate, as_json)


def sweep(as_json: AsJson = False) -> None:
    """Erase references past their date or their collection's days, with subjects left without any.

    Erasures that something stood in the way of are finished, too.
    """
    beside_server = "let the server do it: it sweeps every hour"
    with home_for("collections sweep", beside_server=beside_server) as (home, _):
        report = sweep_collections(home)
    document = {
        "at": report.at.isoformat(),
        "subjects": report.subjects,
        "references": report.references,
        "erasures": [certificate_json(one) for one in report.certificates],
    }
    counts = f"{several(report.subjects, 'subject')} and {several(report.references, 'reference')}"
    certificates = (
        f"  certificate {one.id}: {erased_in_words(one)}" for one in report.certificates
    )
    print_answer(as_json, document, [f"Erased: {counts}.", *certificates])


def verify(
    certificate: Annotated[
        Path, typer.Argument(metavar="CERTIFICATE.json", help="As it was issued.")
    ],
    as_json: AsJson = False,
) -> None:
    """Look whether anything is left of what a certificate says is gone; exit code 1 if so.

    That goes for certificates of erased people, references and collections.
    """
    read = read_certificate(certificate)
    with home_for("collections verify") as (home, caller):
        found = verify_certificate(home, caller, read)
    said = (
        f"The certificate holds: {erased_in_words(read)}, gone since {minute(read.completed_at)}."
    )
    if not found.holds:
        said = f"The certificate does not hold: {'; '.join(_why_not(found))}."
    if found.unreadable:
        said += (
            f" {several(found.unreadable, 'reference')} could not be looked at: they do not open."
        )
    document = {"holds": found.holds, **asdict(found), "digest": read.digest}
    print_answer(as_json, document, [said])
    raise typer.Exit(ExitCode.DONE if found.holds else ExitCode.NO)


def _why_not(found: Verification) -> Iterator[str]:
    if not found.issued:
        yield "this installation never issued one of these words"
    if found.rows or found.vectors:
        yield f"{found.rows} rows and {found.vectors} vectors are there"
    for one in found.returns:
        counts = [
            several(one.subjects, "subject") if one.subjects else "",
            several(one.references, "reference") if one.references else "",
            f"{several(one.pictures, 'reference')} of the same pictures" if one.pictures else "",
        ]
        named = " and ".join(count for count in counts if count)
        yield f"{named} are in {plain(one.collection)} again"
