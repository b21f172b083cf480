"""Signed notes and checkpoints: golden text, and nothing that is written otherwise."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from likeness.errors import InvalidRequest
from likeness.ledger import Checkpoint, NoteKey, read_checkpoint
from likeness.ledger.proofs import NoteSigner, read_note
from likeness.secrets import SigningKey, VerifyingKey
from tests.ledger.recording import signed

# golang.org/x/mod/sumdb/note, example_test.go
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CHECKPOINT = Checkpoint("likeness/test", 5, bytes(range(32)))
GOLDEN = (
    "likeness/test\n"
    "5\n"
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    "\n"
    "— likeness/test tvwE2GzPQ37ArFP5Imb6AFCmbp267vs92ZlVTV6s2rZO8R6CMvAq26L69cvC"
    "/OioYO9TpL4+wR/7JEPszCndO3VKwAA=\n"
)


def test_a_key_has_the_id_that_other_programs_give_it() -> None:
    name, key_id, encoded = PETER.split("+", 2)
    key = NoteKey(name, VerifyingKey(base64.b64decode(encoded)[1:]))
    assert key.id.hex() == key_id
    assert key.vkey == PETER


def test_a_checkpoint_is_written_as_ever_and_read_as_written() -> None:
    written = signed(CHECKPOINT, KEY)
    assert written == GOLDEN
    read = read_checkpoint(written)
    assert read.checkpoint == CHECKPOINT
    assert read.is_signed_by(KEY.verifying_key)
    assert not read.is_signed_by(SigningKey.new().verifying_key)


def test_what_somebody_else_signed_too_is_still_signed() -> None:
    other = SigningKey.new()
    witnessed = (
        signed(CHECKPOINT, KEY)
        + NoteSigner("witness", other).sign(CHECKPOINT.text).split("\n\n")[1]
    )
    assert read_checkpoint(witnessed).is_signed_by(KEY.verifying_key)
    # The witness's key under the ledger's name signs nothing.
    assert not read_checkpoint(witnessed).is_signed_by(other.verifying_key)


def test_a_changed_text_is_not_signed() -> None:
    read = read_checkpoint(GOLDEN.replace("\n5\n", "\n6\n"))
    assert read.checkpoint.size == 6
    assert not read.is_signed_by(KEY.verifying_key)


@pytest.mark.parametrize(
    "damage",
    [
        lambda it: "",
        lambda it: it.rstrip("\n"),
        lambda it: it + "\n",
        lambda it: it.replace("\n\n", "\n"),
        lambda it: it.split("—")[0],
        lambda it: it.replace("—", "-"),
        lambda it: it.replace("— likeness/test", "— "),
        lambda it: it.replace("— likeness/test", "— likeness+test"),
        lambda it: it.replace("— likeness/test", "— likeness\u00a0test"),
        lambda it: it.rpartition(" ")[0] + " AAAA\n",
        lambda it: it.replace("\n5\n", "\n05\n"),
        lambda it: it.replace("\n5\n", "\n+5\n"),
        lambda it: it.replace("\n5\n", "\n-5\n"),
        lambda it: it.replace("\n5\n", "\n5 \n"),
        lambda it: it.replace("\n5\n", "\n\u0665\n"),
        lambda it: it.replace("\n5\n", "\n" + "9" * 19 + "\n"),
        lambda it: it.replace("likeness/test\n5", "\n5"),
        lambda it: it.replace("Hh8=\n", "Hh9=\n"),
        lambda it: it.replace("Hh8=\n", "Hh8\n"),
        lambda it: it.replace("Hh8=\n", "Hg==\n"),
        lambda it: it.replace("Hh8=\n", "Hh8=\nan extension\n"),
        lambda it: it.replace("\n", "\r\n"),
        lambda it: it.replace("5", "\x00"),
        lambda it: it.replace("5", "\ud800"),
        lambda it: "a" * 200_000 + it,
    ],
)
def test_what_is_written_otherwise_is_no_checkpoint(damage: Callable[[str], str]) -> None:
    with pytest.raises(InvalidRequest, match="Take the file as it was written"):
        read_checkpoint(damage(GOLDEN))


def test_a_text_may_have_empty_lines() -> None:
    note = read_note(NoteSigner("name", KEY).sign("one\n\ntwo\n"))
    assert note.text == "one\n\ntwo\n"
    assert note.is_signed_by(NoteKey("name", KEY.verifying_key))
