"""What does a user keep of a use? A receipt: its entry, and the proof that the ledger holds it.

A receipt is JSON, complete in itself: whoever has the ledger's public key checks it without any
network, database or other key.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.checkpoint import SignedCheckpoint, read_checkpoint
from likeness.ledger.entry import Entry, read_entry
from likeness.ledger.note import decoded
from likeness.ledger.tree import HASH_BYTES, leaf_hash, root_by_inclusion
from likeness.secrets import VerifyingKey

_VERSION = 1
_KEYS = {"likeness_receipt", "entry", "index", "proof", "checkpoint"}
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
        document = {
            "likeness_receipt": _VERSION,
            "entry": self.entry.decode(),
            "index": self.index,
            "proof": [base64.b64encode(each).decode() for each in self.proof],
            "checkpoint": self.checkpoint,
        }
        return json.dumps(document, indent=1) + "\n"


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
            "a receipt's id such as 17-Zk3vQ0lGmYd1xw2B was expected and another text came: copy"
            " it whole"
        )
    return ReceiptId(int(match[1]), base64.urlsafe_b64decode(match[2]))


def read_receipt(written: str) -> Receipt:
    """Read a receipt; what it says is still to be proven.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        document: dict[str, Any] = json.loads(written if len(written) <= _LONGEST else "")
        if document["likeness_receipt"] != _VERSION or set(document) != _KEYS:
            raise KeyError
        index, proof = document["index"], tuple(decoded(each) for each in document["proof"])
        if type(index) is not int or index < 0 or any(len(each) != HASH_BYTES for each in proof):
            raise ValueError
        return Receipt(document["entry"].encode(), index, proof, str(document["checkpoint"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidRequest(
            f"a receipt of version {_VERSION} was expected and what came is none, or damaged: take"
            " the file as it was written"
        ) from None


def prove(receipt: Receipt, key: VerifyingKey) -> Proven:
    """Check a receipt with nothing but the ledger's public key.

    1. The checkpoint is signed by the key.
    2. The proof leads from the entry's bytes, at their place, to the checkpoint's root.
    3. The bytes are an entry.

    Raises:
        InvalidRequest: the checkpoint is none.
        LedgerBroken: it proves nothing.
    """
    signed = read_checkpoint(receipt.checkpoint)
    if not signed.is_signed_by(key):
        raise LedgerBroken(
            "a receipt signed by the key given was expected and this one is not: it is of another"
            " ledger, of another key, or forged"
        )
    checkpoint = signed.checkpoint
    root = root_by_inclusion(
        leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.proof
    )
    if root != checkpoint.root:
        raise LedgerBroken(
            "a proof from the entry to the signed root was expected and leads elsewhere: the"
            " receipt was changed"
        )
    return Proven(read_entry(receipt.entry), receipt.index, signed)
