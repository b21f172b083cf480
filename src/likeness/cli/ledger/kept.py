"""`likeness ledger checkpoint`, `receipt`, `growth`, `export`, `witness`: to keep elsewhere."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from likeness.app.access import Rows
from likeness.cli.ledger.given import given_note
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.output_file import private_output, write_output
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.ledger import Checkpoint, every_entry, read_checkpoint, tell_witness

_Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")]


def checkpoint(out: _Out, as_json: AsJson = False) -> None:
    """Write the signed checkpoint of all entries, to be kept where nobody here can change it."""
    with Rows(installation()) as rows:
        signed = rows.ledger.checkpoint()
    write_output(out, signed.encode())
    _say(read_checkpoint(signed).checkpoint, f"is in '{out}'", as_json)


def witness(as_json: AsJson = False) -> None:
    """Give the signed checkpoint of all entries to the witness, LIKENESS_LEDGER_WITNESS."""
    settled = installation()
    argv = shlex.split(settled.settings.ledger_witness)
    if not argv:
        raise InvalidRequest(
            "a witness was expected and LIKENESS_LEDGER_WITNESS is not set: set it to a command"
            " that keeps what it reads elsewhere"
        )
    with Rows(settled) as rows:
        signed = rows.ledger.checkpoint()
    tell_witness(argv, signed)
    _say(read_checkpoint(signed).checkpoint, "is with the witness", as_json)


def receipt(
    receipt_id: Annotated[str, typer.Argument(metavar="ID", help="As an answer came with.")],
    out: _Out,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of a use, which anybody can check who has the public key."""
    with Rows(installation()) as rows:
        made = rows.ledger.receipt(receipt_id)
    write_output(out, made.to_json().encode())
    if as_json:
        print_json({"receipt": made.id, "index": made.index})
        return
    print(f"The receipt of entry {made.index} is in '{out}'.")


def growth(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="A checkpoint or receipt from before.")
    ],
    out: _Out,
    as_json: AsJson = False,
) -> None:
    """Write the proof that the ledger only grew since a checkpoint, for whoever kept that."""
    note = given_note(old)
    with Rows(installation()) as rows:
        proof = rows.ledger.growth(note)
    write_output(out, proof.to_json().encode())
    _say(read_checkpoint(proof.new).checkpoint, f"follows from '{old}', as '{out}' proves", as_json)


def export(out: _Out, as_json: AsJson = False) -> None:
    """Write all entries as lines of JSON, for the owner alone to read."""
    with Rows(installation()) as rows, private_output(out) as file:

        def write(connection: Connection) -> int:
            exported = 0
            for entry in every_entry(connection):
                file.write(entry + b"\n")
                exported += 1
            return exported

        exported = rows.database.read(write)
    if as_json:
        print_json({"entries": exported})
        return
    print(f"{several(exported, 'line')}, an entry each, in '{out}'.")


def _say(signed: Checkpoint, where: str, as_json: bool) -> None:
    if as_json:
        print_json({"origin": signed.origin, "entries": signed.size, "root": signed.root.hex()})
        return
    print(f"The checkpoint of {signed.size:,} entries {where}.")
