"""`likeness ledger verify`: does a receipt prove its entry, and is the whole ledger as signed?"""

from pathlib import Path
from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.cli.ledger.given import given_checkpoint, given_key, given_proof
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded
from likeness.errors import InvalidRequest, LedgerBroken, NotFound
from likeness.ledger import (
    Checkpoint,
    Growth,
    Proven,
    Verification,
    prove,
    prove_growth,
    read_verifying_key,
)
from likeness.secrets import VerifyingKey
from likeness.service.govern.verify_ledger import verify_ledger

_OWN_KEY = "Checked with the key of this home: without --key it vouches for itself."


def verify(
    receipt: Annotated[
        Path | None,
        typer.Argument(metavar="[RECEIPT.json]", help="Or a proof of growth; all without."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint or a receipt that was kept elsewhere."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY.pem", help="The public key, kept elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify one receipt, with the public key alone, or every entry; exit code 1 if it fails."""
    trusted = None if key is None else given_key(key)
    if receipt is None:
        _verify_all(against or [], trusted, as_json)
    elif against:
        raise InvalidRequest(
            "a receipt or --against was expected and both came: --against is for the whole ledger"
        )
    else:
        _verify_receipt(receipt, trusted, as_json)


def _verify_receipt(path: Path, trusted: VerifyingKey | None, as_json: bool) -> None:
    given = given_proof(path)
    try:
        key = trusted or _own_key()
        if isinstance(given, Growth):
            _say_growth(*prove_growth(given, key), trusted is None, as_json)
            return
        proven = prove(given, key)
    except LedgerBroken as error:
        if as_json:
            print_json({"holds": False, "problem": str(error)})
        else:
            print(folded(f"The proof does not hold: {error}."))
        raise typer.Exit(ExitCode.NO) from error
    if as_json:
        print_json(_proven_json(proven, given.entry))
        return
    entry, signed = proven.entry, proven.signed.checkpoint
    print(
        folded(
            plain(
                f"The receipt holds: entry {proven.index} of {signed.origin} says {entry.kind} of"
                f" {entry.use.operation} by {entry.use.principal.id}, {entry.at:%Y-%m-%d %H:%M:%S}"
                f" UTC; its ledger had {signed.size:,} entries when that was signed."
            )
        )
    )
    if trusted is None:
        print(_OWN_KEY)


def _say_growth(old: Checkpoint, new: Checkpoint, own_key: bool, as_json: bool) -> None:
    if as_json:
        print_json({"holds": True, "origin": new.origin, "from": old.size, "entries": new.size})
        return
    print(
        folded(
            plain(
                f"The proof holds: {new.origin} only grew from {old.size:,} entries to"
                f" {new.size:,}, none of the earlier ones was changed."
            )
        )
    )
    if own_key:
        print(_OWN_KEY)


def _verify_all(against: list[Path], trusted: VerifyingKey | None, as_json: bool) -> None:
    checkpoints = [given_checkpoint(path) for path in against]
    with Rows(installation()) as rows:
        found = rows.database.read(
            lambda connection: verify_ledger(
                connection, rows.keyring, against=checkpoints, key=trusted
            )
        )
    if as_json:
        print_json(_found_json(found))
    else:
        for line in _in_words(found):
            print(folded(plain(line)))
    raise typer.Exit(ExitCode.DONE if found.holds else ExitCode.NO)


def _in_words(found: Verification) -> list[str]:
    if found.problem is not None:
        entry = found.problem.entry
        where = "" if entry is None else f"entry {entry} is the first that is wrong: "
        return [f"The ledger does not hold: {where}{found.problem.says}."]
    lines = [f"The ledger holds: {found.size:,} entries, root {found.root.hex()}."]
    for signer in found.signers[1:]:
        vouched = "the former key vouches for it" if signer.endorsed else "NOTHING vouches for it"
        lines.append(f"Another key signs from entry {signer.since} on; {vouched}.")
    if found.set_back:
        lines.append(
            f"The clock stood behind an earlier entry's time at {found.set_back:,} entries; they"
            " have that time, and say what the clock said."
        )
    lines += [f"It cannot be known from here {unknown}." for unknown in found.cannot_know]
    return lines


def _own_key() -> VerifyingKey:
    with Rows(installation()) as rows:
        key = rows.database.read(read_verifying_key)
    if key is None:
        raise NotFound(
            "a public key was expected and this home has no ledger: give the key by --key KEY.pem"
        )
    return key


def _proven_json(proven: Proven, entry: bytes) -> Json:
    signed = proven.signed.checkpoint
    return {
        "holds": True,
        "index": proven.index,
        "origin": signed.origin,
        "entries": signed.size,
        "entry": entry.decode(),
    }


def _found_json(found: Verification) -> Json:
    return {
        "holds": found.holds,
        "problem": None if found.problem is None else found.problem.says,
        "first_bad": None if found.problem is None else found.problem.entry,
        "entries": found.size,
        "root": found.root.hex(),
        "signers": [
            {"pem": one.key.pem, "since": one.since, "endorsed": one.endorsed}
            for one in found.signers
        ],
        "set_back": found.set_back,
        "compared": found.compared,
        "cannot_know": list(found.cannot_know),
    }
