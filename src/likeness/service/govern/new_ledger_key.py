"""Sign the ledger with another key from now on.

Where the former key is lost, nothing can be recorded before there is a new one. Whoever may not
govern is refused all the same, without an entry. Whoever may is held up by no rule that somebody
chose, and the entry that says so is appended after the new key's, in the same act: so a lost key
never locks anybody out.
"""

from likeness.ledger import Ledger, Position
from likeness.service.uses.record import Desk, Outcome
from likeness.terms import Action, Principal, Use


def new_ledger_key(ledger: Ledger, desk: Desk, principal: Principal) -> Position:
    """Make a key, which the former one endorses unless it is lost; give where its entry is.

    Raises:
        Denied: who asks may not govern.
        LedgerBroken: the same where the former key is lost; or the ledger is not as it was signed.
    """
    use = Use(principal, Action.GOVERN, "ledger.new-key")
    with desk.record(use) as record:
        return record.write(lambda connection: ledger.new_key(connection, use), lambda _: Outcome())
