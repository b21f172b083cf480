"""`likeness erase`: take somebody out of a collection, for good."""

from typing import Annotated
from uuid import UUID

import typer

from likeness.app.home import Home
from likeness.cli.asking import require_yes
from likeness.cli.certificates import give_certificate
from likeness.cli.opened import installation
from likeness.cli.options import AsJson, CertificateTo, Yes
from likeness.cli.output_file import check_output
from likeness.cli.plain_text import plain
from likeness.cli.words import several
from likeness.errors import InvalidRequest
from likeness.service.erase import erase_subject


def erase(
    collection: Annotated[str, typer.Option(metavar="NAME", help="Collection to erase from.")],
    subject: Annotated[
        str | None, typer.Argument(metavar="SUBJECT", help="The subject's name.")
    ] = None,
    reference: Annotated[
        list[UUID] | None,
        typer.Option(metavar="ID", help="A reference instead; the subject stays. May be repeated."),
    ] = None,
    yes: Yes = False,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
) -> None:
    """Erase a subject with all references, or single references, down to the disk; certify that."""
    ids = reference or []
    if (subject is None) == (not ids):
        raise InvalidRequest(
            "the name of a subject was expected, or --reference ID: give one of the two"
        )
    if certificate is not None:
        check_output(certificate)
    with Home(installation()) as home:
        if subject is not None:
            erased = erase_subject(
                home.database,
                home.gallery,
                collection,
                subject,
                lambda held: require_yes(
                    f"Erase {plain(subject)} with {several(held, 'reference')} from"
                    f" {plain(collection)}?",
                    yes,
                ),
            )
        else:
            require_yes(f"Erase {several(len(ids), 'reference')} from {plain(collection)}?", yes)
            erased = home.gallery.erasing.references(collection, ids)
        give_certificate(erased, certificate, as_json)
