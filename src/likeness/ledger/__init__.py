"""What was done, provably: entries in a Merkle tree, its head signed, receipts for anybody."""

from likeness.ledger.anchor import AnchorFiles
from likeness.ledger.entry import Entry, Event, Kind, Rules, read_entry
from likeness.ledger.head import entry_count, every_entry, every_row, last_position
from likeness.ledger.keys import counts_by_key, read_verifying_key, rewrap_keys
from likeness.ledger.ledger import Ledger, Position, origin_of
from likeness.ledger.proofs import (
    Checkpoint,
    Growth,
    NoteKey,
    Proven,
    Receipt,
    ReceiptId,
    SignedCheckpoint,
    prove,
    prove_growth,
    read_checkpoint,
    read_growth,
    read_proof,
    read_receipt,
    read_receipt_id,
    tell_witness,
)
from likeness.ledger.subject_keys import FORGOTTEN_FROM, Commitments
from likeness.ledger.verification import Outside, Verification, verify_log
from likeness.ledger.walk import NewBeginning, Problem

__all__ = [
    "FORGOTTEN_FROM",
    "AnchorFiles",
    "Checkpoint",
    "Commitments",
    "Entry",
    "Event",
    "Growth",
    "Kind",
    "Ledger",
    "NewBeginning",
    "NoteKey",
    "Outside",
    "Position",
    "Problem",
    "Proven",
    "Receipt",
    "ReceiptId",
    "Rules",
    "SignedCheckpoint",
    "Verification",
    "counts_by_key",
    "entry_count",
    "every_entry",
    "every_row",
    "last_position",
    "origin_of",
    "prove",
    "prove_growth",
    "read_checkpoint",
    "read_entry",
    "read_growth",
    "read_proof",
    "read_receipt",
    "read_receipt_id",
    "read_verifying_key",
    "rewrap_keys",
    "tell_witness",
    "verify_log",
]
