"""What people keep of a ledger: receipts of uses, and proofs that it only grew.

Both are JSON, complete in themselves: whoever has the ledger's public key checks them without any
network, database or other key.
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.checkpoint import Checkpoint, SignedCheckpoint, decoded, read_checkpoint
from likeness.ledger.entry import Entry, read_entry
from likeness.ledger.tree import HASH_BYTES, is_consistent, leaf_hash, root_by_inclusion
from likeness.secrets import VerifyingKey

_VERSION = 1
_LONGEST = 1_000_000
_PREFIX_BYTES = 12
_ID = re.compile(r"(0|[1-9][0-9]{0,17})-([A-Za-z0-9_-]{16})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReceiptId:
    """A receipt's short name: where its entry is, and how its hash begins."""

    index: int
    prefix: bytes

    @classmethod
    def of(cls, index: int, leaf: bytes) -> "ReceiptId":
        """Name the receipt of an entry."""
        return cls(index, leaf[:_PREFIX_BYTES])

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
    document: dict[str, Any] = json.loads(written if len(written) <= _LONGEST else "")
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
