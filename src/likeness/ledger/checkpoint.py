"""Checkpoints, which are what is signed of a ledger: how long it is, and the root of its tree.

A checkpoint is three lines, origin, size and root (https://c2sp.org/tlog-checkpoint), in a signed
note: the text, an empty line, then a line `— NAME BASE64` for each signature, whose bytes are 4 of
the key's id and the signature (https://c2sp.org/signed-note). Read strictly: one way to write it.

A witness keeps checkpoints elsewhere: a command of the operator's choice, which puts them where a
holder of this machine cannot change them.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.tree import HASH_BYTES
from likeness.secrets import SigningKey, VerifyingKey, run_command

_ED25519 = b"\x01"
_ID_BYTES = 4
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key under the name that its signatures carry."""

    name: str
    key: VerifyingKey

    @property
    def id(self) -> bytes:
        """The 4 bytes by which a signature says whose it is."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key.raw).digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key on one line, as programs that check notes take it."""
        encoded = base64.b64encode(_ED25519 + self.key.raw).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it: name, key id and signature of each."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def is_signed_by(self, key: NoteKey) -> bool:
        """Say whether the key signed the text."""
        text = self.text.encode()
        return any(
            name == key.name and key_id == key.id and key.key.verifies(text, signature)
            for name, key_id, signature in self.signatures
        )


class NoteSigner:
    """Writes notes under a name."""

    __slots__ = ("_id", "_key", "name")

    def __init__(self, name: str, key: SigningKey) -> None:
        self.name = name
        self._key = key
        self._id = NoteKey(name, key.verifying_key).id

    def sign(self, text: str) -> str:
        """Write a note; `text` ends with a line break."""
        signature = base64.b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n\N{EM DASH} {self.name} {signature}\n"


def read_note(written: str) -> Note:
    """Read a note.

    Raises:
        InvalidRequest: it is none.
    """
    text, separator, lines = written.rpartition("\n\n")
    if (
        len(written) > _LONGEST
        or not separator
        or not lines.endswith("\n")
        or any(character < " " and character != "\n" for character in written)
        or any("\ud800" <= character <= "\udfff" for character in written)  # no UTF-8 has them
    ):
        raise InvalidRequest(
            "Not a signed note: a text, an empty line, lines of signatures. Take the file as it was"
            " written."
        )
    return Note(f"{text}\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def decoded(encoded: str) -> bytes:
    """Decode base64 that is written in the one way there is for its bytes.

    Raises:
        InvalidRequest: it is not.
    """
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = None
    if content is None or base64.b64encode(content).decode() != encoded:
        raise InvalidRequest(
            "Not base64 in its one canonical form. Take the file as it was written."
        )
    return content


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\N{EM DASH}" or not name or "+" in name or len(name.split()) != 1:
        raise InvalidRequest(
            "Not a line of a signature: a dash, a name, base64. Take the file as it was written."
        )
    content = decoded(encoded)
    if len(content) <= _ID_BYTES:
        raise InvalidRequest(
            f"The signature has {len(content)} bytes, and more than {_ID_BYTES} are needed. Take"
            " the file as it was written."
        )
    return name, content[:_ID_BYTES], content[_ID_BYTES:]


_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long the ledger named `origin` was, and what its tree's root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was read, with its signatures, which are still to be checked."""

    checkpoint: Checkpoint
    note: Note

    def is_signed_by(self, key: VerifyingKey) -> bool:
        """Say whether the key signed it as this ledger's."""
        return self.note.is_signed_by(NoteKey(self.checkpoint.origin, key))


def read_checkpoint(written: str) -> SignedCheckpoint:
    """Read a signed checkpoint.

    Raises:
        InvalidRequest: it is none.
    """
    note = read_note(written)
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise InvalidRequest(
            "Not a checkpoint: lines of origin, size and root. Take the file as it was written."
        )
    root = decoded(lines[2])
    if len(root) != HASH_BYTES:
        raise InvalidRequest(
            f"The root has {len(root)} bytes, not {HASH_BYTES}. Take the file as it was written."
        )
    return SignedCheckpoint(Checkpoint(lines[0], int(lines[1]), root), note)


_COMMAND_S = 60.0


def tell_witness(argv: Sequence[str], checkpoint: str, *, timeout_s: float = _COMMAND_S) -> None:
    """Give a checkpoint to a command, and wait until it has kept it.

    Raises:
        LedgerBroken: it does not say, by ending with 0, that it has.
    """
    run_command(argv, LedgerBroken, timeout_s=timeout_s, written=checkpoint.encode())
