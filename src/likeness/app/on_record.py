"""How does somebody at the command line act on a home? As themselves, admitted and on record."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app.access import Rows
from likeness.gallery import Collection
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.record import Record
from likeness.terms import UNDECLARED, Action, Use


@contextmanager
def on_record(
    rows: Rows, action: Action, operation: str, collection: Collection | None = None
) -> Iterator[Record]:
    """Have a use of the command line's admitted, and keep its record.

    `operation` names the command, such as `collections create`.

    Raises:
        Denied: policy forbids it.
        LedgerBroken: it cannot be recorded, so nothing was done.
    """
    principal = rows.somebody
    use = Use(principal, action, operation, purpose=(*principal.purposes, UNDECLARED)[0])
    if collection is not None:
        # Read anew: a command may begin many uses, and tags may change meanwhile.
        tagged = collection.read(lambda its: its.tags.all())
        use = use_in(use, collection.id, tagged)
    with rows.desk.record(use) as record:
        yield record
