"""`likeness collections delete`: erase a collection, its key first."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from likeness.app.on_record import on_record
from likeness.cli.certificates import give_certificate
from likeness.cli.collections.described import held_in_words
from likeness.cli.home_alone import home_alone
from likeness.cli.opened import installation
from likeness.cli.terminal.options import AsJson, CertificateTo, Yes
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.prompts import require_yes
from likeness.service.erase.erase_collection import begin_erasing
from likeness.terms import Action


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection.")],
    yes: Yes = False,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
) -> None:
    """Erase a collection with all that it holds, down to the disk, and certify that."""
    if certificate is not None:
        check_output(certificate)
    with home_alone(installation(), "ask the server: DeleteCollection") as home:
        collection = home.gallery.collection(name)
        with on_record(home, Action.ERASE, "collections delete", collection) as record:
            held = held_in_words(collection)
            require_yes(f"Erase {plain(name)} ({held})?", yes)
            begun = begin_erasing(record, collection, datetime.now(UTC))
        give_certificate(home.gallery.erasing.finish([begun])[0], certificate, as_json)
