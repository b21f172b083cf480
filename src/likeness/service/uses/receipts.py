"""Who is told of which receipt? Whoever uses Likeness of theirs; auditors of all.

A receipt says who did what with which collection, so that it is not for everybody with its id.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from likeness.access import may
from likeness.errors import Denied, NotFound
from likeness.ledger import Ledger, Receipt, read_entry
from likeness.service.uses.record import Desk, Record
from likeness.terms import Action, Principal, Use


@dataclass(frozen=True, slots=True)
class ReceiptingDesk:
    """A `Desk` that tells the id of each use's last entry, once that is known, refused or not."""

    desk: Desk
    tell: Callable[[str], None]

    @contextmanager
    def record(self, use: Use) -> Iterator[Record]:
        """Admit a use and keep its record; raises what the desk behind raises."""
        record: Record | None = None
        try:
            with self.desk.record(use) as record:
                yield record
        except Denied as error:
            if error.receipt is not None:
                self.tell(error.receipt)
            raise
        finally:
            if record is not None and record.receipt is not None:
                self.tell(record.receipt)


def receipt_for(ledger: Ledger, principal: Principal, receipt_id: str) -> Receipt:
    """Give a receipt to those whose use it proves, and to those who may audit.

    Raises:
        InvalidRequest: it is no receipt's id.
        NotFound: there is none of that id, or it is not for them.
        LedgerBroken: the ledger is not as it was signed.
    """
    unknown = NotFound(
        "the id of a receipt of a use of yours was expected and there is none: copy it whole from"
        " the answer, or ask somebody who may audit"
    )
    try:
        receipt = ledger.receipt(receipt_id)
    except NotFound as error:
        raise unknown from error
    theirs = read_entry(receipt.entry).use.principal.id == principal.id
    if not (theirs or may(principal.role, Action.AUDIT)):
        raise unknown
    return receipt
