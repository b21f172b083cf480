"""What leaves a ledger: signed checkpoints, receipts of uses, and proofs that it only grew.

A checkpoint says how long a ledger is and what the root of its tree: three lines, origin, size and
root (https://c2sp.org/tlog-checkpoint), in a signed note: the text, an empty line, then a line
`— NAME BASE64` for each signature, whose bytes are 4 of the key's id and the signature
(https://c2sp.org/signed-note). Read strictly: one way to write it. A witness keeps checkpoints
elsewhere: a command of the operator's choice, which puts them where a holder of this machine cannot
change them.

Receipts and proofs of growth are JSON, complete in themselves: whoever has the ledger's public key
checks them without any network, database or other key.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.entry import Entry, read_entry
from likeness.ledger.tree import HASH_BYTES, is_consistent, leaf_hash, root_by_inclusion
from likeness.secrets import SigningKey, VerifyingKey, run_command

_ED25519 = b"\x01"
_ID_BYTES = 4
_LONGEST_NOTE = 100_000
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_COMMAND_S = 60.0
_VERSION = 1
_LONGEST_PROOF = 1_000_000
_PREFIX_BYTES = 12
_ID = re.compile(r"(0|[1-9][0-9]{0,17})-([A-Za-z0-9_-]{16})", re.ASCII)


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
        len(written) > _LONGEST_NOTE
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


def tell_witness(argv: Sequence[str], checkpoint: str, *, timeout_s: float = _COMMAND_S) -> None:
    """Give a checkpoint to a command, and wait until it has kept it.

    Raises:
        LedgerBroken: it does not say, by ending with 0, that it has.
    """
    run_command(argv, LedgerBroken, timeout_s=timeout_s, written=checkpoint.encode())


@dataclass(frozen=True, slots=True)
class ReceiptId:
    """A receipt's short name: where its entry is, and how its hash begins."""

    index: int
    prefix: bytes

    @classmethod
    def of(cls, index: int, leaf: bytes) -> "ReceiptId":
        """Name the receipt of an entry."""
        return cls(index, leaf[:_PREFIX_BYTES])

    @classmethod
    def of_entry(cls, index: int, entry: bytes) -> "ReceiptId":
        """Name the receipt of an entry by its bytes."""
        return cls.of(index, leaf_hash(entry))

    def __str__(self) -> str:
        """Write it, such as `17-Zk3vQ0lGmYd1xw2B`."""
        return f"{self.index}-{base64.urlsafe_b64encode(self.prefix).decode()}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's bytes, its place, and the way from it to a signed root."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @property
    def id(self) -> str:
        """Its short name."""
        return str(ReceiptId.of(self.index, leaf_hash(self.entry)))

    def to_json(self) -> str:
        """Write it."""
        return _written(
            "likeness_receipt",
            entry=self.entry.decode(),
            index=self.index,
            proof=_encoded(self.proof),
            checkpoint=self.checkpoint,
        )


@dataclass(frozen=True, slots=True)
class Growth:
    """Two signed checkpoints, and the hashes of which both trees are made; it tells no entry."""

    old: str
    new: str
    proof: tuple[bytes, ...]

    def to_json(self) -> str:
        """Write it."""
        return _written("likeness_growth", old=self.old, new=self.new, proof=_encoded(self.proof))


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt proves: an entry, and how long the ledger was that holds it."""

    entry: Entry
    index: int
    signed: SignedCheckpoint


def read_receipt_id(written: str) -> ReceiptId:
    """Read a receipt's short name.

    Raises:
        InvalidRequest: it is none.
    """
    match = _ID.fullmatch(written)
    if match is None:
        raise InvalidRequest(
            "Not a receipt's id. It looks like 17-Zk3vQ0lGmYd1xw2B: copy it whole."
        )
    return ReceiptId(int(match[1]), base64.urlsafe_b64decode(match[2]))


def read_receipt(written: str) -> Receipt:
    """Read a receipt; what it says is still to be proven.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        document = _read(written, "likeness_receipt", {"entry", "index", "proof", "checkpoint"})
        entry, index = document["entry"].encode(), document["index"]
        if type(index) is not int or index < 0:
            raise ValueError
        return Receipt(entry, index, document["proof"], str(document["checkpoint"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidRequest):
        raise _unreadable("a receipt") from None


def read_growth(written: str) -> Growth:
    """Read a proof of growth; what it says is still to be proven.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        document = _read(written, "likeness_growth", {"old", "new", "proof"})
        return Growth(str(document["old"]), str(document["new"]), document["proof"])
    except (ValueError, KeyError, TypeError, RecursionError, InvalidRequest):
        raise _unreadable("a proof of growth") from None


def read_proof(written: str) -> Receipt | Growth:
    """Read whichever of the two it is; what it says is still to be proven.

    Raises:
        InvalidRequest: it is neither.
    """
    return read_growth(written) if '"likeness_growth"' in written[:100] else read_receipt(written)


def prove(receipt: Receipt, key: VerifyingKey) -> Proven:
    """Check a receipt with nothing but the ledger's public key.

    1. The checkpoint is signed by the key.
    2. The proof leads from the entry's bytes, at their place, to the checkpoint's root.
    3. The bytes are an entry.

    Raises:
        InvalidRequest: the checkpoint is none.
        LedgerBroken: it proves nothing.
    """
    signed = _signed_by(key, receipt.checkpoint)
    checkpoint, leaf = signed.checkpoint, leaf_hash(receipt.entry)
    root = root_by_inclusion(leaf, receipt.index, checkpoint.size, receipt.proof)
    if root != checkpoint.root:
        raise LedgerBroken(
            "The receipt was changed: its proof does not lead from the entry to the signed root"
        )
    return Proven(read_entry(receipt.entry), receipt.index, signed)


def prove_growth(growth: Growth, key: VerifyingKey) -> tuple[Checkpoint, Checkpoint]:
    """Check a proof with nothing but the ledger's public key; give both checkpoints.

    Raises:
        InvalidRequest: a checkpoint is none.
        LedgerBroken: it proves nothing.
    """
    old, new = (_signed_by(key, each).checkpoint for each in (growth.old, growth.new))
    if old.origin != new.origin or not is_consistent(
        old.size, old.root, new.size, new.root, growth.proof
    ):
        raise LedgerBroken(
            "The ledger did not only grow: entries were written anew, or the proof was changed"
        )
    return old, new


def _signed_by(key: VerifyingKey, checkpoint: str) -> SignedCheckpoint:
    signed = read_checkpoint(checkpoint)
    if not signed.is_signed_by(key):
        raise LedgerBroken(
            "The key did not sign it: it is of another ledger, of another key, or forged"
        )
    return signed


def _written(kind: str, **document: object) -> str:
    return json.dumps({kind: _VERSION, **document}, indent=1) + "\n"


def _encoded(proof: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in proof]


def _read(written: str, kind: str, keys: set[str]) -> dict[str, Any]:
    """Read a document of a kind, with its proof decoded."""
    document: dict[str, Any] = json.loads(written if len(written) <= _LONGEST_PROOF else "")
    if document[kind] != _VERSION or set(document) != {kind, *keys}:
        raise KeyError
    proof = tuple(decoded(each) for each in document["proof"])
    if any(len(each) != HASH_BYTES for each in proof):
        raise ValueError
    return {**document, "proof": proof}


def _unreadable(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"Not {what} of version {_VERSION}, or a damaged one. Take the file as it was written."
    )
