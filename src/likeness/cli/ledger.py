"""`likeness ledger`: what was done, and the proof of it. All of it works while a server runs."""

import json
import os
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.home import open_rows
from likeness.cli.acts import rows_for
from likeness.cli.installation import installation_here
from likeness.cli.ledger_in_words import entry_lines
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.input_file import read_text
from likeness.cli.terminal.options import AsJson, Yes
from likeness.cli.terminal.output_file import private_output, write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.prompts import require_consent
from likeness.cli.terminal.words import folded, several
from likeness.errors import InvalidRequest, LedgerBroken, NotFound, unwritable
from likeness.ledger import (
    Growth,
    Problem,
    Receipt,
    Verification,
    prove,
    prove_growth,
    read_checkpoint,
    read_proof,
    read_receipt,
    tell_witness,
)
from likeness.secrets import VerifyingKey
from likeness.service.govern import ledger as acts

ledger = typer.Typer(help="Show, verify and export the record of every use.", add_completion=False)

_Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")]

# So many rows are named.
_LISTED = 10
_OWN_KEY = "Checked with the key of this home: without --key it vouches for itself."


@ledger.command()
def verify(
    receipt: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RECEIPT.json]",
            help="Receipt or proof of growth to verify. Default: the whole ledger of this home.",
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Checkpoint or receipt, kept elsewhere, to compare with."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY.pem",
            help="Public key, kept elsewhere, to check with. Default: the key of this home.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify one receipt, with the public key alone, or every entry; exit code 1 if it fails."""
    trusted = None if key is None else VerifyingKey.from_pem(_text(key))
    if receipt is None:
        _verify_all(against or [], trusted, as_json)
    elif against:
        raise InvalidRequest(
            "--against is for the whole ledger, and a receipt was named. Leave out either."
        )
    else:
        _verify_proof(receipt, trusted, as_json)


@ledger.command()
def checkpoint(out: _Out, as_json: AsJson = False) -> None:
    """Write the signed checkpoint of all entries, to be kept where nobody here can change it."""
    with open_rows(installation_here(), makes_home=False) as rows:
        signed = rows.ledger.checkpoint()
    write_output(out, signed.encode())
    _say_checkpoint(signed, f"is in '{out}'", as_json)


@ledger.command()
def receipt(
    receipt_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the receipt, which came with the answer.")
    ],
    out: _Out,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of a use, which anybody can check who has the public key."""
    with open_rows(installation_here(), makes_home=False) as rows:
        made = rows.ledger.receipt(receipt_id)
    write_output(out, made.to_json().encode())
    said = f"The receipt of entry {made.index} is in '{out}'."
    print_answer(as_json, {"receipt": made.id, "index": made.index}, [said])


@ledger.command()
def growth(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Checkpoint or receipt from before.")],
    out: _Out,
    as_json: AsJson = False,
) -> None:
    """Write the proof that the ledger only grew since a checkpoint, for whoever kept that."""
    note = _note(old)
    with open_rows(installation_here(), makes_home=False) as rows:
        proof = rows.ledger.growth(note)
    write_output(out, proof.to_json().encode())
    _say_checkpoint(proof.new, f"follows from '{old}', as '{out}' proves", as_json)


@ledger.command()
def show(
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Id of a receipt, a use or a job, or number of an entry. Default: the newest.",
        ),
    ] = None,
    last: Annotated[
        int, typer.Option(metavar="N", help="Show so many of the newest.", min=1, max=10_000)
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Show entries in words: who did what, by which rules, and what came of it."""
    with open_rows(installation_here(), makes_home=False) as rows:
        shown = acts.last_entries(rows, last) if which is None else acts.entries_about(rows, which)
    document = [
        {"index": one.index, "receipt": one.receipt_id, "entry": _as_json(one.written)}
        for one in shown
    ]
    lines = [line for one in shown for line in entry_lines(one)]
    print_answer(as_json, {"entries": document}, lines or ["Nothing is recorded yet."])


@ledger.command()
def export(out: _Out, as_json: AsJson = False) -> None:
    """Write all entries as lines of JSON, for the owner alone to read."""
    with open_rows(installation_here(), makes_home=False) as rows, private_output(out) as file:
        exported, unreadable = acts.export(rows, file.write)
    said = [f"{several(exported, 'line')}, an entry each, in '{out}'."]
    if unreadable:
        which = ", ".join(map(str, unreadable[:_LISTED]))
        said.append(
            f"Left out, since they hold no entry any more: {which}. `likeness ledger verify` says"
            " more."
        )
    print_answer(as_json, {"entries": exported, "unreadable": unreadable}, said)
    if unreadable:
        raise typer.Exit(ExitCode.FAILED)


@ledger.command()
def key(as_json: AsJson = False) -> None:
    """Print the public key in PEM: give it to whoever is to check receipts, before they need it."""
    with open_rows(installation_here(), makes_home=False) as rows:
        public = acts.public_key(rows)
    document = {"origin": public.name, "pem": public.key.pem, "vkey": public.vkey}
    print_answer(as_json, document, public.key.pem.splitlines())


@ledger.command()
def witness(as_json: AsJson = False) -> None:
    """Give the signed checkpoint of all entries to the witness, LIKENESS_LEDGER_WITNESS."""
    argv = shlex.split(installation_here().settings.ledger_witness)
    if not argv:
        raise InvalidRequest(
            "There is no witness: LIKENESS_LEDGER_WITNESS is not set. Set it to a command that"
            " keeps what it reads elsewhere."
        )
    with open_rows(installation_here(), makes_home=False) as rows:
        signed = rows.ledger.checkpoint()
    tell_witness(argv, signed)
    _say_checkpoint(signed, "is with the witness", as_json)


@ledger.command("new-key")
def new_key(yes: Yes = False, as_json: AsJson = False) -> None:
    """Sign with a new key from now on; the former one vouches for it, unless it is lost."""
    question = "Sign with a new key, which everybody who checks receipts needs from then on?"
    require_consent(question, yes, "the key stays")
    with rows_for("ledger.new-key", makes_home=True, without_lost_keys=True) as (rows, caller):
        position, receipt_id = acts.new_key(rows, caller)
    said = f"A new key signs from entry {position.index} on, receipt {receipt_id}."
    print_answer(as_json, {"receipt": receipt_id}, [said])


@ledger.command("begin-anew")
def begin_anew(yes: Yes = False, as_json: AsJson = False) -> None:
    """Go on after a loss: from the entries that hold, else with a new ledger; it stays on record.

    Where the entries do not hold, they are kept in a file of the home, for their owner alone.
    """
    installation = installation_here()
    question = "Go on without what is missing or wrong, which the next entry says for good?"
    require_consent(question, yes, "nothing was changed")
    kept = Path(
        f"{installation.settings.home}/ledger/former-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    )
    with rows_for("ledger.begin-anew", installation, without_lost_keys=True) as (rows, caller):
        position, receipt_id, found = acts.begin_anew(rows, caller, partial(_keep_lines, kept))
    said = [
        *(_problem_in_words(problem) for problem in found.problems),
        f"The ledger goes on with entry {position.index}, which says so, receipt {receipt_id}."
        if position.index
        else f"A new ledger begins, whose entry 0 says so, receipt {receipt_id}.",
    ]
    if kept.exists():
        said.append(f"The rows of the former one are in '{kept}'.")
    said.append(
        "Start servers of this home again, and give checkers the new `likeness ledger key`."
    )
    document = {
        "receipt": receipt_id,
        "index": position.index,
        "problems": [_problem_json(problem) for problem in found.problems],
        "kept": str(kept) if kept.exists() else None,
    }
    print_answer(as_json, document, _folded(said))


def _keep_lines(path: Path, lines: Iterable[bytes]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with private_output(path) as file:
            file.writelines(lines)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the file has its name on the disk before the rows go
        finally:
            os.close(folder)
    except OSError as error:
        raise unwritable(path, error, "mend its folder") from error


def _as_json(written: bytes) -> object:
    """Read an entry's bytes for an answer; null where they are none any more."""
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def _verify_proof(path: Path, trusted: VerifyingKey | None, as_json: bool) -> None:
    proof = read_proof(_text(path))
    try:
        document, said = _checked(proof, trusted or _own_key())
    except LedgerBroken as error:
        said = f"The proof does not hold. {error}"
        print_answer(as_json, {"holds": False, "problem": str(error)}, _folded([said]))
        raise typer.Exit(ExitCode.NO) from error
    print_answer(as_json, document, _folded([said] if trusted else [said, _OWN_KEY]))


def _checked(proof: Receipt | Growth, key: VerifyingKey) -> tuple[Json, str]:
    """Check a proof; give what it proves, as JSON and in words."""
    if isinstance(proof, Growth):
        old, new = prove_growth(proof, key)
        return (
            {"holds": True, "origin": new.origin, "from": old.size, "entries": new.size},
            f"The proof holds: {new.origin} only grew from {old.size:,} entries to {new.size:,},"
            " none of the earlier ones was changed.",
        )
    proven = prove(proof, key)
    entry, signed = proven.entry, proven.signed.checkpoint
    return (
        {
            "holds": True,
            "index": proven.index,
            "origin": signed.origin,
            "entries": signed.size,
            "entry": proof.entry.decode(),
        },
        f"The receipt holds: entry {proven.index} of {signed.origin} says {entry.kind} of"
        f" {entry.use.operation} by {entry.use.principal.id}, {entry.at:%Y-%m-%d %H:%M:%S} UTC;"
        f" its ledger had {signed.size:,} entries when that was signed.",
    )


def _own_key() -> VerifyingKey:
    try:
        with open_rows(installation_here(), makes_home=False) as rows:
            return acts.public_key(rows).key
    except NotFound as error:
        raise NotFound("This home has no ledger. Give the public key by --key KEY.pem.") from error


def _verify_all(against: list[Path], trusted: VerifyingKey | None, as_json: bool) -> None:
    checkpoints = [read_checkpoint(_note(path)) for path in against]
    with open_rows(installation_here(), makes_home=False) as rows:
        found = acts.verify(rows, checkpoints, trusted)
    print_answer(as_json, _found_json(found), _folded(_in_words(found)))
    raise typer.Exit(ExitCode.DONE if found.holds else ExitCode.NO)


def _folded(paragraphs: list[str]) -> list[str]:
    return [line for each in paragraphs for line in folded(plain(each)).splitlines()]


def _in_words(found: Verification) -> list[str]:
    if found.problems:
        says = [_problem_in_words(problem) for problem in found.problems]
        return [f"The ledger does not hold: {says[0]}", *says[1:], *_beginnings_in_words(found)]
    lines = [f"The ledger holds: {found.size:,} entries, root {found.root.hex()}."]
    for signer in found.signers[1:]:
        vouched = "the former key vouches for it" if signer.endorsed else "NOTHING vouches for it"
        lines.append(f"Another key signs from entry {signer.since} on; {vouched}.")
    if found.set_back:
        lines.append(
            f"The clock stood behind an earlier entry's time at {found.set_back:,} entries; they"
            " have that time, and say what the clock said."
        )
    lines += _beginnings_in_words(found)
    return lines + [f"It cannot be known from here {unknown}." for unknown in found.cannot_know]


def _problem_in_words(problem: Problem) -> str:
    if problem.entry is not None:
        return f"entry {problem.entry} is the first that is wrong: {problem.says}."
    where = "" if problem.table in (None, "ledger_entries") else f"table {problem.table}: "
    return f"{where}{problem.says}."


def _beginnings_in_words(found: Verification) -> list[str]:
    return [
        f"Entry {one.entry} says that somebody {'began anew' if one.anew else 'went on'} after a"
        f" loss; {one.details.get('former_entries', 'an unknown number of')} entries were known"
        f" before, and what was wrong: {one.details.get('wrong', 'not said')}."
        for one in found.beginnings
    ]


def _problem_json(problem: Problem) -> Json:
    return {"says": problem.says, "entry": problem.entry, "table": problem.table}


def _found_json(found: Verification) -> Json:
    return {
        "holds": found.holds,
        "problem": found.problem and found.problem.says,
        "first_bad": found.problem and found.problem.entry,
        "problems": [_problem_json(problem) for problem in found.problems],
        "begun_anew": [
            {"index": one.entry, "details": dict(one.details)} for one in found.beginnings
        ],
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


def _say_checkpoint(signed: str, where: str, as_json: bool) -> None:
    said = read_checkpoint(signed).checkpoint
    document = {"origin": said.origin, "entries": said.size, "root": said.root.hex()}
    print_answer(as_json, document, [f"The checkpoint of {said.size:,} entries {where}."])


def _note(path: Path) -> str:
    """Read a signed checkpoint as it was written, or the one in a receipt."""
    text = _text(path)
    return read_receipt(text).checkpoint if text.startswith("{") else text


def _text(path: Path) -> str:
    return read_text(path, "Name a receipt, a checkpoint or a key.")
