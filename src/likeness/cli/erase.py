"""`likeness erase`: take somebody out of a collection, for good."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from likeness.app.on_record import on_record
from likeness.cli.certificates import give_certificate
from likeness.cli.home_alone import home_alone
from likeness.cli.opened import installation
from likeness.cli.terminal.options import AsJson, CertificateTo, Yes
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.prompts import require_yes
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.service.erase.erase import erase_single_references, erase_subject
from likeness.terms import Action


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
    with home_alone(installation(), "ask the server: DeleteFaces, DeleteUser") as home:
        known = home.gallery.collection(collection)
        with on_record(home, Action.ERASE, "erase", known) as record:
            now = datetime.now(UTC)
            if subject is not None:
                erased = erase_subject(
                    record,
                    home.gallery,
                    known,
                    subject,
                    lambda spelt, held: require_yes(
                        f"Erase {plain(subject)}"
                        + ("" if spelt == 1 else f", {spelt} subjects by spelling alone,")
                        + f" with {several(held, 'reference')} from {plain(collection)}?",
                        yes,
                    ),
                    now,
                )
            else:
                held = several(len(ids), "reference")
                require_yes(f"Erase {held} from {plain(collection)}?", yes)
                erased = erase_single_references(record, home.gallery, known, ids, now)
        give_certificate(erased, certificate, as_json)
