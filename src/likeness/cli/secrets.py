"""`likeness secrets`: the installation's keys, by their ids alone."""

from dataclasses import asdict
from functools import partial

import typer

from likeness.app.access import Rows
from likeness.app.on_record import on_record
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import several
from likeness.gallery import counts_by_key
from likeness.service.govern.rotate_keys import other_secrets_by_key, rotate_keys
from likeness.service.uses.record import Outcome
from likeness.terms import Action

secrets = typer.Typer(help="The installation's keys: which there are, and a new one for all.")


@secrets.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by their ids, the one that seals first; none of them is shown."""
    with Rows(installation()) as rows, on_record(rows, Action.READ, "secrets list") as record:
        key_ids = rows.keyring.key_ids
        collections = rows.database.read(counts_by_key)
        others = rows.database.read(other_secrets_by_key)
        record.answered(Outcome())
    if as_json:
        keys = [
            {"id": key_id, "collections": collections[key_id], "other_secrets": others[key_id]}
            for key_id in key_ids
        ]
        print_json({"keys": keys})
        return
    for key_id in key_ids:
        does = "seals" if key_id == key_ids[0] else "only opens: `likeness secrets rotate` ends it"
        held = several(collections[key_id], "collection")
        print(f"{key_id}  {held}, {several(others[key_id], 'other secret')}, {does}")


@secrets.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new key, seal with it what the older ones sealed, and destroy those.

    Interrupted at any point, run again it finishes. Backups need the keys of their time.
    """
    with Rows(installation()) as rows:
        recorded = partial(on_record, rows, Action.GOVERN, "secrets rotate")
        rotation = rotate_keys(rows.keyring, recorded)
    if as_json:
        print_json(asdict(rotation))
        return
    print(
        f"{rotation.newest} seals from now on, and has sealed"
        f" {several(rotation.resealed, 'secret')} anew."
    )
    for key_id in rotation.destroyed:
        print(f"{key_id} is destroyed.")
    for key_id in rotation.kept:
        print(f"{key_id} seals nothing any more: remove it from where your keys are.")
