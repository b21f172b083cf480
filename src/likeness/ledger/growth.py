"""Did a ledger only grow from one checkpoint to a later one? A proof for whoever keeps both.

A proof is JSON, complete in itself like a receipt; it tells nothing of the entries.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.checkpoint import Checkpoint, read_checkpoint
from likeness.ledger.note import decoded
from likeness.ledger.tree import HASH_BYTES, is_consistent
from likeness.secrets import VerifyingKey

_VERSION = 1
_KEYS = {"likeness_growth", "old", "new", "proof"}
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Growth:
    """Two signed checkpoints, and the hashes of which both trees are made."""

    old: str
    new: str
    proof: tuple[bytes, ...]

    def to_json(self) -> str:
        """Write it."""
        document = {
            "likeness_growth": _VERSION,
            "old": self.old,
            "new": self.new,
            "proof": [base64.b64encode(each).decode() for each in self.proof],
        }
        return json.dumps(document, indent=1) + "\n"


def read_growth(written: str) -> Growth:
    """Read a proof of growth; what it says is still to be proven.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        document: dict[str, Any] = json.loads(written if len(written) <= _LONGEST else "")
        if document["likeness_growth"] != _VERSION or set(document) != _KEYS:
            raise KeyError
        proof = tuple(decoded(each) for each in document["proof"])
        if any(len(each) != HASH_BYTES for each in proof):
            raise ValueError
        return Growth(str(document["old"]), str(document["new"]), proof)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidRequest(
            f"a proof of growth of version {_VERSION} was expected and what came is none, or"
            " damaged: take the file as it was written"
        ) from None


def prove_growth(growth: Growth, key: VerifyingKey) -> tuple[Checkpoint, Checkpoint]:
    """Check a proof with nothing but the ledger's public key; give both checkpoints.

    Raises:
        InvalidRequest: a checkpoint is none.
        LedgerBroken: it proves nothing.
    """
    old, new = (read_checkpoint(each) for each in (growth.old, growth.new))
    if not (old.is_signed_by(key) and new.is_signed_by(key)):
        raise LedgerBroken(
            "two checkpoints signed by the key given were expected and one is not: it is of another"
            " ledger, of another key, or forged"
        )
    before, after = old.checkpoint, new.checkpoint
    if before.origin != after.origin or not is_consistent(
        before.size, before.root, after.size, after.root, growth.proof
    ):
        raise LedgerBroken(
            "a proof that the ledger only grew was expected and this is none: entries were written"
            " anew, or the proof was changed"
        )
    return before, after
