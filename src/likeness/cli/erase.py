"""`likeness erase`: take somebody out of a collection, for good."""

from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import home_for
from likeness.cli.certificates import give_certificate
from likeness.cli.terminal.options import AsJson, CertificateTo, Yes
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.prompts import require_yes
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.gallery import Collection
from likeness.service.erase.erase import erase_references
from likeness.service.erase.subjects import erase_subject


def erase(
    collection: Annotated[str, typer.Option(metavar="NAME", help="Collection to erase from.")],
    subject: Annotated[
        str | None,
        typer.Argument(metavar="SUBJECT", help="The subject's name, or a reference's external id."),
    ] = None,
    reference: Annotated[
        list[UUID] | None,
        typer.Option(metavar="ID", help="A reference instead; the subject stays. May be repeated."),
    ] = None,
    keep_watches: Annotated[
        bool,
        typer.Option("--keep-watches", help="Keep watches that look for somebody as alike."),
    ] = False,
    yes: Yes = False,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
) -> None:
    """Erase a subject with all references, or single references, down to the disk; certify that."""
    if (subject is None) == (not reference):
        raise InvalidRequest("Whom to erase is not clear. Give a SUBJECT, or --reference ID.")
    if certificate is not None:
        check_output(certificate)

    def ask_for_subject(spelt: int, references: int) -> None:
        others = {0: ", an external id,", 1: ""}.get(
            spelt, f", {spelt} subjects by spelling alone,"
        )
        theirs = f"{several(references, 'reference')} from {plain(collection)}"
        require_yes(f"Erase {plain(subject)}{others} with {theirs}?", yes)

    def ask_for_references(of: Collection) -> None:
        counted = several(len(reference or []), "reference")
        require_yes(f"Erase {counted} from {plain(collection)}?", yes)

    beside_server = "ask the server: DeleteFaces, DeleteUser"
    with home_for("erase", beside_server=beside_server) as (home, caller):
        if subject is not None:
            erased = erase_subject(
                home, caller, collection, subject, ask_for_subject, keep_watches=keep_watches
            )
        else:
            erased = erase_references(home, caller, collection, reference or [], ask_for_references)
    give_certificate(erased, certificate, as_json)
