"""`likeness report sign|nist|verify|show`: make report cards, and check those of anybody."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.acts import rows_for
from likeness.cli.report.files import (
    LARGEST_REPORT,
    OWN_KEY,
    UNCHECKED,
    card_in_words,
    card_json,
    read_card_or_report,
    read_key,
)
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.input_file import read_bytes, read_text
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.errors import InvalidRequest
from likeness.service.evaluate.cards import acts
from likeness.service.evaluate.cards.card import same_report
from likeness.service.evaluate.cards.nist_form import LARGEST_DOCUMENT, read_form
from likeness.service.evaluate.cards.signed_card import (
    LARGEST_CARD,
    SignedCard,
    key_id_of,
    read_signed_card,
)

CardFile = Annotated[Path, typer.Argument(metavar="CARD.json", help="Report card.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="KEY.pem",
        help="Public key of whoever signed it. Default: the key of this home.",
    ),
]
_CardTo = Annotated[
    Path, typer.Option("--out", metavar="CARD.json", help="File to write the card to.")
]


def sign(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT.json", help="JSON of a report, as it was written.")
    ],
    out: _CardTo,
    as_json: AsJson = False,
) -> None:
    """Sign the card of a report with the ledger's key, and enter it in the ledger."""
    check_output(out)
    content = read_bytes(report, LARGEST_REPORT, "Name the JSON of a report.")
    with rows_for("report sign", makes_home=True) as (rows, caller):
        signed = acts.sign_report(rows, caller, content, f"'{report}'")
    _give(signed, out, caller.proof.receipt, as_json)


def nist(
    form: Annotated[
        Path, typer.Argument(metavar="FORM.toml", help="Form with the figures that were copied.")
    ],
    document: Annotated[
        Path, typer.Option(metavar="FILE", help="Publication of NIST's that they were copied from.")
    ],
    out: _CardTo,
    as_json: AsJson = False,
) -> None:
    """Sign what was copied of NIST's figures for an algorithm, and enter it in the ledger.

    NIST signs no figures: the card says who copied them from where, and why the model here is the
    algorithm that was tested.
    """
    check_output(out)
    figures = read_form(
        read_text(form, "Name a form in TOML."),
        f"'{form}'",
        read_bytes(document, LARGEST_DOCUMENT, "Name the file that figures were copied from."),
        datetime.now(UTC).date(),
    )
    with rows_for("report nist", makes_home=True) as (rows, caller):
        signed = acts.sign_nist(rows, caller, figures)
    _give(signed, out, caller.proof.receipt, as_json)


def verify(
    card: CardFile,
    key: KeyFile = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT.json",
            help="Report, or publication of NIST's, that the card should be of.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check who signed a card, with the public key alone; exit code 1 if it fails."""
    signed, trusted = _read(card), read_key(key)
    if trusted is None:
        with rows_for("report verify", makes_home=True) as (rows, _):
            checked_with = acts.own_key(rows)
    else:
        checked_with = trusted
    key_id = key_id_of(checked_with)
    try:
        said = signed.card(checked_with)
        if report is not None and not same_report(
            said, read_bytes(report, LARGEST_REPORT, "Name the report of the card.")
        ):
            raise InvalidRequest(f"The card is of another report than '{report}'.")
    except InvalidRequest as error:
        document = {"holds": False, "problem": str(error), "card": signed.digest, "key": key_id}
        print_answer(as_json, document, [f"The card does not hold. {error}"])
        raise typer.Exit(ExitCode.NO) from error
    document = {"holds": True, "card": signed.digest, "key": key_id, "says": card_json(said)}
    brief = said.nist is None
    lines = [f"The card holds: signed by the key {key_id}.", *card_in_words(said, brief=brief)]
    if brief:
        lines.append(
            f"`likeness report show {shlex.quote(str(card))}` prints every fact and figure."
        )
    print_answer(as_json, document, lines if trusted else [*lines, OWN_KEY])


def show(
    file: Annotated[
        Path,
        typer.Argument(metavar="CARD.json|REPORT.json", help="Report card, or JSON of a report."),
    ],
    as_json: AsJson = False,
) -> None:
    """Print the figures of a card or a report; who signed the card is not checked."""
    read = read_card_or_report(file)
    lines = card_in_words(read.card)
    document = {"signed": read.signed, "says": card_json(read.card)}
    print_answer(as_json, document, [*lines, UNCHECKED] if read.signed else lines)


def _read(card: Path) -> SignedCard:
    return read_signed_card(
        read_bytes(card, LARGEST_CARD, "Name a report card."),
        f"'{card}'",
    )


def _give(signed: SignedCard, out: Path, receipt: str | None, as_json: bool) -> None:
    write_output(out, signed.text.encode())
    document = {"card": signed.digest, "receipt": receipt, "file": str(out)}
    print_answer(
        as_json,
        document,
        [
            f"'{out}' holds the card {signed.digest}, receipt {receipt}.",
            "`likeness ledger key` prints the public key for those who are to check it.",
        ],
    )
