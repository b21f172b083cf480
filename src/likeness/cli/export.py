"""`likeness export`: everything of a collection in one file, for another installation."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.acts import rows_for
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson, PassphraseFile
from likeness.cli.terminal.output_file import check_output, private_output
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import passphrase_from
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.service.move.export import export_collection


def export(
    collection: Annotated[str, typer.Option(metavar="NAME", help="Collection to export.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")],
    passphrase_file: PassphraseFile = None,
    in_the_clear: Annotated[
        bool,
        typer.Option("--in-the-clear", help="Do not seal it: names and templates can be read."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything of a collection into one file that `likeness import` reads.

    It holds personal data, so it is sealed with a passphrase, which is asked for.
    """
    if in_the_clear and passphrase_file is not None:
        raise InvalidRequest("--passphrase-file and --in-the-clear exclude each other. Give one.")
    check_output(out)
    installation = installation_here()
    with (
        rows_for("export", installation) as (rows, caller),
        private_output(out) as file,
        counting("Subjects and references") as tell,
    ):
        exported = export_collection(
            rows,
            caller,
            collection,
            file,
            passphrase=None if in_the_clear else lambda: passphrase_from(passphrase_file, new=True),
            tell=tell,
        )
    size = exported.size
    document = {
        "collection": collection,
        "subjects": size.subjects,
        "references": size.references,
        "file": str(out),
        "sealed": not in_the_clear,
    }
    said = (
        f"{collection}: {several(size.subjects, 'subject')} and"
        f" {several(size.references, 'reference')} in {out},"
        f" {'in the clear' if in_the_clear else 'sealed with the passphrase'}"
    )
    print_answer(as_json, document, [said])
