"""Give receipts: to whoever uses Likeness those of their uses, to auditors all.

A receipt says who did what with which collection, so that it is not for everybody with its id.
"""

from likeness.access import may
from likeness.errors import NotFound
from likeness.ledger import Ledger, Receipt, read_entry
from likeness.terms import Action, Principal


def receipt_for(ledger: Ledger, principal: Principal, receipt_id: str) -> Receipt:
    """Give a receipt to those whose use it proves, and to those who may audit.

    Raises:
        InvalidRequest: it is no receipt's id.
        NotFound: there is none of that id, or it is not for them.
        LedgerBroken: the ledger is not as it was signed.
    """
    unknown = NotFound(
        "No receipt of a use of yours has this id. Copy it whole from the answer, or ask somebody"
        " who may audit."
    )
    try:
        receipt = ledger.receipt(receipt_id)
    except NotFound as error:
        raise unknown from error
    theirs = read_entry(receipt.entry).use.principal.id == principal.id
    if not (theirs or may(principal.role, Action.AUDIT)):
        raise unknown
    return receipt
