"""`likeness export`: everything of a collection in one file, for another installation."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.app.on_record import on_record
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson, PassphraseFile
from likeness.cli.terminal.output_file import check_output, private_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import passphrase_from
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.service.move.export import export_collection
from likeness.service.uses.record import Outcome
from likeness.terms import Action


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
        raise InvalidRequest(
            "--passphrase-file or --in-the-clear was expected: give one of the two"
        )
    check_output(out)
    with Rows(installation()) as rows:
        known = rows.collections.collection(collection)  # said before anybody is asked
        passphrase = None if in_the_clear else passphrase_from(passphrase_file, new=True)
        with (
            on_record(rows, Action.READ, "export", known) as record,
            private_output(out) as file,
            counting("Subjects and references") as tell,
        ):
            exported = export_collection(
                rows.collections,
                rows.installation.standards,
                collection,
                file,
                passphrase,
                tell,
            )
            size = exported.size
            # Before the file is in its place: whoever has it, that it was made is on record.
            record.answered(
                Outcome(
                    details={
                        "exported": "templates, names and ids of everybody",
                        "subjects": str(size.subjects),
                        "references": str(size.references),
                        "sealed": "no" if in_the_clear else "by a passphrase",
                    }
                )
            )
    if as_json:
        print_json(
            {
                "collection": collection,
                "subjects": size.subjects,
                "references": size.references,
                "file": str(out),
                "sealed": not in_the_clear,
            }
        )
        return
    print(
        f"{plain(collection)}: {several(size.subjects, 'subject')} and"
        f" {several(size.references, 'reference')} in {plain(out)},"
        f" {'in the clear' if in_the_clear else 'sealed with the passphrase'}"
    )
