"""Gives receipts, and checks what somebody brings as a proof: one, or that the ledger grew."""

from dataclasses import dataclass

from likeness.ledger import (
    Growth,
    Proven,
    Receipt,
    origin_of,
    prove,
    prove_growth,
    read_checkpoint,
    read_entry,
    read_proof,
)
from likeness.secrets import VerifyingKey
from likeness.service.govern.ledger import public_key
from likeness.service.review.blind import require_no_verdict
from likeness.service.uses import Rows, receipt_for
from likeness.storage import read_identity
from likeness.terms import Principal


@dataclass(frozen=True, slots=True)
class Checked:
    """What a proof proves.

    Of a receipt that is its entry, `proven`; of a proof of growth, that the ledger grew from
    `grown_from` entries. `size` is how many entries it had when that was signed. `size_here` is
    how many the ledger of this home has now, which only grew since; None of another ledger.
    """

    origin: str
    size: int
    size_here: int | None
    proven: Proven | None = None
    grown_from: int | None = None


def give_receipt(rows: Rows, principal: Principal, receipt_id: str) -> Receipt:
    """Give a receipt to those whose use it proves, and to those who may audit.

    Raises what `receipt_for` raises, and:

    Raises:
        Conflict: it tells a verdict on a case that they may still decide.
    """
    receipt = receipt_for(rows.ledger, principal, receipt_id)
    require_no_verdict(rows, principal, read_entry(receipt.entry))
    return receipt


def check_proof(rows: Rows, written: str, key: VerifyingKey | None = None) -> Checked:
    """Check a proof by a key that was kept elsewhere, or without one by that of this home.

    1. The checkpoints in it are signed by the key.
    2. Its hashes lead to what is signed.
    3. Where it is of this home's ledger, that has only grown since.

    Raises:
        InvalidRequest: it is none.
        LedgerBroken: it does not hold, or the ledger of this home did not grow from it.
        NotFound: no key is given, and nothing is recorded here.
    """
    proof = read_proof(written)
    trusted = key or public_key(rows).key
    if isinstance(proof, Growth):
        old, new = prove_growth(proof, trusted)
        here = _size_here(rows, proof.new)
        return Checked(new.origin, new.size, here, grown_from=old.size)
    proven = prove(proof, trusted)
    signed = proven.signed.checkpoint
    return Checked(signed.origin, signed.size, _size_here(rows, proof.checkpoint), proven)


def _size_here(rows: Rows, checkpoint: str) -> int | None:
    """Hold the ledger of this home to a checkpoint of it, and say how long it is."""
    if read_checkpoint(checkpoint).checkpoint.origin != origin_of(
        rows.database.read(read_identity)
    ):
        return None
    return read_checkpoint(rows.ledger.growth(checkpoint).new).checkpoint.size
