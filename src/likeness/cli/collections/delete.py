"""`likeness collections delete`: erase a collection, its key first."""

from typing import Annotated

import typer

from likeness.app.home import Home
from likeness.cli.asking import require_yes
from likeness.cli.certificates import give_certificate
from likeness.cli.collections.described import held_in_words
from likeness.cli.opened import installation
from likeness.cli.options import AsJson, CertificateTo, Yes
from likeness.cli.output_file import check_output
from likeness.cli.plain_text import plain


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection.")],
    yes: Yes = False,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
) -> None:
    """Erase a collection with all that it holds, down to the disk, and certify that."""
    if certificate is not None:
        check_output(certificate)
    with Home(installation()) as home:
        held = held_in_words(home, home.gallery.collection(name))
        require_yes(f"Erase {plain(name)} ({held})?", yes)
        give_certificate(home.gallery.erasing.collection(name), certificate, as_json)
