"""`likeness collections verify`: is a certificate of an erasure ours, and still true?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.home import Home
from likeness.app.on_record import on_record
from likeness.cli.certificates import erased_in_words, read_certificate
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import AsJson
from likeness.service.uses.record import Outcome
from likeness.terms import Action


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
    with Home(installation()) as home, on_record(home, Action.READ, "collections verify") as record:
        found = home.gallery.erasing.verify(read)
        # The certificate may be anybody's words: what was not issued here is not named.
        record.answered(Outcome(certificate_id=read.id if found.issued else None))
    if as_json:
        print_json({"holds": found.holds, **asdict(found), "digest": read.digest})
    elif found.holds:
        print(
            f"The certificate holds: {erased_in_words(read)}, gone since"
            f" {read.completed_at:%Y-%m-%d %H:%M} UTC."
        )
    elif not found.issued:
        print("The certificate does not hold: this installation never issued one of these words.")
    else:
        print(
            f"The certificate does not hold: {found.rows} rows and {found.vectors} vectors are"
            " there."
        )
    raise typer.Exit(ExitCode.DONE if found.holds else ExitCode.NO)
