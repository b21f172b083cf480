"""`likeness ledger`: what was done, and the proof of it. All of it works while a server runs."""

import typer

from likeness.cli.ledger.kept import checkpoint, export, growth, receipt, witness
from likeness.cli.ledger.keys import key, new_key
from likeness.cli.ledger.verify import verify

ledger = typer.Typer(help="The ledger: what was done, and proof of it for others.")
for _verb in (verify, checkpoint, receipt, growth, export, key, witness):
    ledger.command()(_verb)
ledger.command("new-key")(new_key)
