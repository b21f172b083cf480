"""Checkpoints, which are what is signed of a ledger: how long it is, and the root of its tree.

Three lines, origin, size and root, in a signed note (https://c2sp.org/tlog-checkpoint).
"""

import base64
import re
from dataclasses import dataclass

from likeness.errors import InvalidRequest
from likeness.ledger.note import Note, NoteKey, decoded, read_note
from likeness.ledger.tree import HASH_BYTES
from likeness.secrets import VerifyingKey

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
