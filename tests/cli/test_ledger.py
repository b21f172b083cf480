"""`likeness ledger`, through the real command."""

import json
import re
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from likeness.app.home import open_rows
from likeness.config import read_settings
from likeness.ledger import Kind, Ledger
from tests.ledger.recording import done, record

from .conftest import InstallationWithDiscs
from .staff import Command, make_home


def used(times: int) -> list[str]:
    """Leave entries in the home that the command uses; gives the receipts' ids."""
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        ledger = Ledger(rows.database, rows.keyring)
        return record(rows.database, ledger, *(done() for _ in range(times)))


def change(statement: str) -> None:
    database = sqlite3.connect(read_settings().home / "likeness.db")
    with database:
        database.execute(statement)
    database.close()


def test_a_receipt_is_checked_with_the_public_key_alone(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, _) = used(2)
    receipt, key = tmp_path / "receipt.json", tmp_path / "key.pem"
    outcome = likeness("ledger", "receipt", first, "--out", receipt)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("The receipt of entry 1 is in")
    key.write_text(likeness("ledger", "key").out)

    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    outcome = likeness("ledger", "verify", receipt, "--key", key)
    assert (outcome.code, outcome.err) == (0, "")
    said = " ".join(outcome.out.split())
    assert "The receipt holds: entry 1 of likeness/" in said
    assert "says done of SearchFacesByImage by key:11111111" in said
    assert not (tmp_path / "elsewhere").exists()


def test_growth_from_a_kept_checkpoint_is_proven_anywhere(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(3)
    old, proof, key = (tmp_path / name for name in ("old", "growth.json", "key.pem"))
    likeness("ledger", "checkpoint", "--out", old)
    key.write_text(likeness("ledger", "key").out)
    used(5)
    assert likeness("ledger", "growth", old, "--out", proof).code == 0
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    outcome = likeness("ledger", "verify", proof, "--key", key)
    assert (outcome.code, outcome.err) == (0, "")
    assert "only grew from 4 entries to 9" in " ".join(outcome.out.split())
    answer = json.loads(likeness("ledger", "verify", proof, "--key", key, "--json").out)
    assert (answer["holds"], answer["from"], answer["entries"]) == (True, 4, 9)
    written = json.loads(proof.read_text())
    written["proof"][0] = written["proof"][1]
    proof.write_text(json.dumps(written))
    outcome = likeness("ledger", "verify", proof, "--key", key)
    assert outcome.code == 1
    assert "entries were written anew" in " ".join(outcome.out.split())


def test_no_growth_is_proven_from_what_a_cut_ledger_never_had(
    likeness: Command, tmp_path: Path
) -> None:
    used(2)
    home, old = read_settings().home, tmp_path / "old"
    copy = (home / "likeness.db").read_bytes()
    used(2)
    likeness("ledger", "checkpoint", "--out", old)
    for left in home.glob("likeness.db*"):
        left.unlink()
    (home / "likeness.db").write_bytes(copy)
    outcome = likeness("ledger", "growth", old, "--out", tmp_path / "proof")
    assert (outcome.code, outcome.out) == (3, "")
    assert "it was cut, or written anew" in outcome.err


def test_a_changed_receipt_does_not_hold(likeness: Command, tmp_path: Path) -> None:
    (first,) = used(1)
    receipt = tmp_path / "receipt.json"
    likeness("ledger", "receipt", first, "--out", receipt)
    assert likeness("ledger", "verify", receipt).code == 0
    receipt.write_text(receipt.read_text().replace("SearchFaces", "DetectFaces"))
    outcome = likeness("ledger", "verify", receipt)
    assert (outcome.code, outcome.err) == (1, "")
    assert "receipt was changed" in " ".join(outcome.out.split())
    answer = json.loads(likeness("ledger", "verify", receipt, "--json").out)
    assert answer["holds"] is False


def test_a_receipt_of_another_ledger_does_not_hold(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = used(1)
    receipt = tmp_path / "receipt.json"
    likeness("ledger", "receipt", first, "--out", receipt)
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "other"))
    assert "no ledger. Give the public key by --key" in likeness("ledger", "verify", receipt).err
    used(1)
    outcome = likeness("ledger", "verify", receipt)
    assert (outcome.code, outcome.err) == (1, "")
    assert "it is of another ledger" in " ".join(outcome.out.split())
    outcome = likeness("ledger", "verify", "--against", receipt)
    assert (outcome.code, outcome.out) == (2, "")
    assert "is of another ledger" in outcome.err


def test_the_whole_ledger_is_verified_and_says_what_it_cannot_know(
    likeness: Command, tmp_path: Path
) -> None:
    used(3)
    kept = tmp_path / "checkpoint"
    assert "4 entries is in" in likeness("ledger", "checkpoint", "--out", kept).out
    used(2)
    alone = likeness("ledger", "verify")
    assert (alone.code, alone.err) == (0, "")
    assert "The ledger holds: 6 entries, root " in " ".join(alone.out.split())
    assert "no checkpoint from elsewhere was given" in " ".join(alone.out.split())
    answer = json.loads(likeness("ledger", "verify", "--against", kept, "--json").out)
    assert (answer["holds"], answer["entries"], answer["compared"]) == (True, 6, 4)


def test_a_changed_entry_is_named(likeness: Command) -> None:
    used(3)
    change(
        "UPDATE ledger_entries SET entry = replace(entry, 'Search', 'search') WHERE position = 2"
    )
    outcome = likeness("ledger", "verify")
    assert outcome.code == 1
    assert "entry 2 is the first that is wrong" in " ".join(outcome.out.split())
    answer = json.loads(likeness("ledger", "verify", "--json").out)
    assert (answer["holds"], answer["first_bad"]) == (False, 2)


def test_an_emptied_ledger_is_told_by_what_was_made_on_record(likeness: Command) -> None:
    assert likeness("keys", "create", "desk").code == 0
    for table in ("ledger_entries", "ledger_head", "ledger_keys"):
        change(f"DELETE FROM {table}")
    outcome = likeness("ledger", "verify")
    assert outcome.code == 1
    assert "the ledger was emptied" in " ".join(outcome.out.split())
    found = json.loads(likeness("ledger", "verify", "--json").out)
    assert (found["holds"], found["first_bad"]) == (False, 0)


def test_an_older_copy_is_told_by_a_newer_receipt(likeness: Command, tmp_path: Path) -> None:
    used(2)
    home = read_settings().home
    older = (home / "likeness.db").read_bytes()
    (newer,) = used(1)
    receipt = tmp_path / "receipt.json"
    likeness("ledger", "receipt", newer, "--out", receipt)
    for left in home.glob("likeness.db*"):
        left.unlink()
    (home / "likeness.db").write_bytes(older)
    assert likeness("ledger", "verify").code == 0
    outcome = likeness("ledger", "verify", "--against", receipt)
    assert outcome.code == 1
    assert "an older copy put in place" in " ".join(outcome.out.split())


WIPE = [
    f"DELETE FROM {table}"
    for table in (
        "ledger_entries",
        "ledger_head",
        "ledger_keys",
        "ledger_subject_keys",
        "ledger_subject_key_sum",
    )
]


def test_a_wiped_ledger_begins_anew_only_when_told_to_and_says_so_for_good(
    likeness: Command,
) -> None:
    assert likeness("keys", "create", "desk").code == 0
    refused = likeness("ledger", "begin-anew", "--yes")
    assert (refused.code, refused.out) == (2, "")
    assert "The ledger holds, all 2 entries of it" in refused.err
    for statement in WIPE:
        change(statement)
    outcome = likeness("keys", "create", "other")
    assert (outcome.code, outcome.out) == (3, "")
    assert "3 entries were acknowledged and the database has 0: its rows are gone" in outcome.err
    assert "`likeness ledger begin-anew` goes on without it" in outcome.err
    assert "! ledger: entry 0: the ledger was emptied" in likeness("doctor").out
    found = json.loads(likeness("ledger", "verify", "--json").out)
    says = "the ledger was emptied: this home had one of 3 entries"
    assert found["problems"] == [{"says": says, "entry": 0, "table": "ledger_entries"}]

    assert likeness("ledger", "begin-anew").code == 2  # nobody said yes
    begun = json.loads(likeness("ledger", "begin-anew", "--yes", "--json").out)
    assert (begun["index"], begun["problems"], begun["kept"] is None) == (
        0,
        found["problems"],
        False,
    )
    assert likeness("keys", "create", "other").code == 0
    outcome = likeness("ledger", "verify")
    assert outcome.code == 0
    said = " ".join(outcome.out.split())
    assert "Entry 0 says that somebody began anew after a loss; 3 entries were known before" in said
    assert "ledger: all 3 entries are as they were signed" in likeness("doctor").out
    shown = likeness("ledger", "show", "0").out
    assert "begun_anew new ledger" in shown
    assert "ledger.begin-anew (govern) by local:" in shown


def test_what_keeps_from_beginning_anew_is_said_and_nothing_has_begun(
    likeness: Command,
) -> None:
    assert likeness("keys", "create", "desk").code == 0
    for statement in WIPE:
        change(statement)
    folder = read_settings().home / "ledger"
    folder.rename(folder.with_name("away"))
    folder.write_text("a file where a folder belongs")
    outcome = likeness("ledger", "begin-anew", "--yes")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "cannot be written" in outcome.err
    folder.unlink()
    folder.with_name("away").rename(folder)
    assert "2 entries were acknowledged and the database has 0" in (
        likeness("keys", "create", "other").err
    )
    assert likeness("ledger", "begin-anew", "--yes").code == 0


def test_a_home_whose_anchor_is_gone_too_is_told_by_what_was_made_on_record(
    likeness: Command,
) -> None:
    assert likeness("keys", "create", "desk").code == 0
    for path in (read_settings().home / "ledger").iterdir():
        path.unlink()
    for statement in WIPE:
        change(statement)
    outcome = likeness("keys", "create", "other")
    assert (outcome.code, outcome.out) == (3, "")
    assert "The ledger's rows are gone: there are 1 keys, collections" in outcome.err
    assert likeness("ledger", "verify").code == 1
    assert likeness("ledger", "begin-anew", "--yes").code == 0
    assert likeness("keys", "create", "other").code == 0
    assert likeness("ledger", "verify").code == 0


def test_a_table_that_was_changed_beside_the_entries_is_named(likeness: Command) -> None:
    used(2)
    change("UPDATE ledger_subject_keys SET sealed_key = 'text'")
    outcome = likeness("ledger", "verify")
    assert outcome.code == 1
    said = " ".join(outcome.out.split())
    assert "The ledger does not hold: table ledger_subject_keys: the key of" in said
    assert "! ledger: table ledger_subject_keys: the key of" in " ".join(
        likeness("doctor").out.split()
    )


def test_a_row_that_is_no_entry_any_more_is_named_and_the_others_are_shown(
    likeness: Command, tmp_path: Path
) -> None:
    used(3)
    change("UPDATE ledger_entries SET entry = 'text' WHERE position = 2")
    shown = likeness("ledger", "show")
    assert shown.code == 0
    assert "2  cannot be read" in shown.out
    assert "3  2026" in shown.out
    entries = json.loads(likeness("ledger", "show", "--json").out)["entries"]
    assert [one["entry"] is None for one in entries] == [False, False, True, False]
    outcome = likeness("policy", "simulate")
    assert outcome.code == 3
    assert "Entry 2 of the ledger: Not an entry" in outcome.err
    outcome = likeness("ledger", "export", "--out", tmp_path / "out")
    assert outcome.code == 3
    assert "Left out, since they hold no entry any more: 2." in " ".join(outcome.out.split())
    assert len((tmp_path / "out").read_text().splitlines()) == 3


def test_entries_are_exported_as_lines_of_json(likeness: Command, tmp_path: Path) -> None:
    used(2)
    out = tmp_path / "ledger.jsonl"
    assert likeness("ledger", "export", "--out", out).out.startswith("3 lines")
    kinds = [json.loads(line)["kind"] for line in out.read_text().splitlines()]
    assert kinds == ["key", "done", "done"]
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_witness_is_given_the_checkpoint(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(1)
    assert "LIKENESS_LEDGER_WITNESS is not set" in likeness("ledger", "witness").err
    kept = tmp_path / "kept"
    monkeypatch.setenv(
        "LIKENESS_LEDGER_WITNESS", f"{sys.executable} -c \"open('{kept}', 'w').write(input())\""
    )
    assert likeness("ledger", "witness").code == 0
    assert kept.read_text().startswith("likeness/")
    monkeypatch.setenv("LIKENESS_LEDGER_WITNESS", f'{sys.executable} -c "exit(4)"')
    outcome = likeness("ledger", "witness")
    assert (outcome.code, outcome.out) == (3, "")
    assert "ended with 4" in outcome.err


def test_a_new_key_signs_and_the_former_one_vouches_for_it(
    likeness: Command, tmp_path: Path
) -> None:
    used(1)
    key = tmp_path / "key.pem"
    key.write_text(likeness("ledger", "key").out)
    assert "Give --yes if you are sure" in likeness("ledger", "new-key").err
    outcome = likeness("ledger", "new-key", "--yes")
    assert outcome.out.startswith("A new key signs from entry 2 on")
    used(1)
    outcome = likeness("ledger", "verify", "--key", key)
    assert outcome.code == 0
    assert "the former key vouches for it" in " ".join(outcome.out.split())


def test_a_lost_key_is_said_to_be_lost(likeness: Command) -> None:
    used(1)
    for path in (read_settings().home / "keys").iterdir():
        path.unlink()
    assert likeness("ledger", "new-key", "--yes").code == 0
    outcome = likeness("ledger", "verify")
    assert outcome.code == 0
    assert "NOTHING vouches for it" in outcome.out


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"{" * 5000, b"x" * 1_000_001, None])
def test_what_is_no_receipt_is_said_to_be_none(
    likeness: Command, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "odd"
    if content is not None:
        path.write_bytes(content)
    for arguments in ([path], ["--against", path], ["--key", path]):
        outcome = likeness("ledger", "verify", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert re.search("Not|not text|cannot be read", outcome.err)


def test_a_home_without_a_ledger_has_no_key_and_no_checkpoint(
    likeness: Command, tmp_path: Path
) -> None:
    make_home()
    assert likeness("ledger", "verify").code == 0
    for arguments in (["key"], ["checkpoint", "--out", tmp_path / "it"]):
        outcome = likeness("ledger", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert "nothing is recorded yet" in outcome.err


def test_entries_are_shown_in_words(likeness: Command) -> None:
    receipts = used(3)
    shown = likeness("ledger", "show", "--last", "2")
    assert (shown.code, shown.err) == (0, "")
    first, second = shown.out.split("    receipt ")[:2]
    assert first.startswith("2  ")
    assert "UTC  done: SearchFacesByImage (search) by key:11111111" in first
    assert second.startswith(receipts[1])
    assert "allowed by" in first
    everything = likeness("ledger", "show").out
    assert all(one in everything for one in receipts)
    assert everything.startswith("0  ")  # the key


def test_entries_are_shown_by_number_receipt_use_and_job(likeness: Command) -> None:
    job_id, clip = "ab" * 32, "cd" * 32
    details = {
        "job_id": job_id,
        "clip_sha256": clip,
        "from_ms": "0",
        "to_ms": "3723400",
        "shots_ms": "1500 62000 ...",
    }
    begun = done()
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        ledger = Ledger(rows.database, rows.keyring)
        ended = replace(begun, details=details)
        receipt, last = record(rows.database, ledger, replace(begun, kind=Kind.INTENT), ended)
        record(rows.database, ledger, done())
    of_job = likeness("ledger", "show", job_id).out
    assert of_job.count("receipt ") == 2
    assert receipt in of_job
    assert last in of_job
    assert f"clip SHA-256 {clip}" in of_job
    assert "from 0:00:00.000 to 1:02:03.400 of it" in of_job
    assert "looks that led to matches: 0:00:01.500 0:01:02.000 ..." in of_job
    assert likeness("ledger", "show", str(begun.use.id)).out == of_job
    one = likeness("ledger", "show", receipt).out
    assert likeness("ledger", "show", "1").out == one
    assert one in of_job

    document = json.loads(likeness("ledger", "show", last, "--json").out)["entries"]
    assert [(each["index"], each["receipt"]) for each in document] == [(2, last)]
    assert document[0]["entry"]["details"] == details


@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("99", "no entry of 99"),
        ("0-AAAAAAAAAAAAAAAA", "no entry of 0-"),
        ("ef" * 32, "no entry of efef"),
        ("00000000-0000-0000-0000-00000000ffff", "no entry of 0000"),
        ("somebody", "Not an entry: 'somebody'"),
        ("9" * 19, "no entry of 999"),
        ("9" * 5000, "Not an entry: '999"),
    ],
)
def test_what_is_no_entry_is_said(likeness: Command, which: str, says: str) -> None:
    used(1)
    outcome = likeness("ledger", "show", which)
    assert (outcome.code, outcome.out) == (2, "")
    assert says in " ".join(outcome.err.split())


def test_a_new_home_has_nothing_to_show(likeness: Command) -> None:
    make_home()
    assert likeness("ledger", "show").out == "Nothing is recorded yet.\n"
