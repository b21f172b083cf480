"""What is in force: rules and the stop switch, the ledger, receipts, and how the server is."""

from likeness.console.pages.in_force.entries import entries
from likeness.console.pages.in_force.receipts import receipts
from likeness.console.pages.in_force.rules import rules
from likeness.console.pages.in_force.state import state

IN_FORCE = (rules, entries, receipts, state)
