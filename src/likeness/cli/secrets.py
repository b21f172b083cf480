"""`likeness secrets`: the installation's keys, by their ids alone."""

from dataclasses import asdict

import typer

from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import several
from likeness.service.govern.secrets import KeyUse, list_secrets, rotate_secrets

secrets = typer.Typer(help="Show and rotate the installation's own keys.", add_completion=False)


@secrets.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by their ids, the one that seals first; none of them is shown."""
    with rows_for("secrets list") as (rows, caller):
        first, *others = list_secrets(rows, caller)
    older = "only opens: `likeness secrets rotate` ends it"
    lines = [_in_words(first, "seals"), *(_in_words(one, older) for one in others)]
    print_answer(as_json, {"keys": [asdict(one) for one in (first, *others)]}, lines)


@secrets.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new key, seal with it what the older ones sealed, and destroy those.

    If it is interrupted, run it again to finish. Backups need the keys of their time.
    """
    with rows_for("secrets rotate") as (rows, caller):
        rotation = rotate_secrets(rows, caller)
    resealed = several(rotation.resealed, "secret")
    lines = [
        f"{rotation.newest} seals from now on, and has sealed {resealed} anew.",
        *(f"{key_id} is destroyed." for key_id in rotation.destroyed),
        *(
            f"{key_id} seals nothing any more. Remove it from where your keys are."
            for key_id in rotation.kept
        ),
    ]
    print_answer(as_json, asdict(rotation), lines)


def _in_words(key: KeyUse, does: str) -> str:
    sealed = (
        f"{several(key.collections, 'collection')}, {several(key.other_secrets, 'other secret')}"
    )
    return f"{key.id}  {sealed}, {does}"
