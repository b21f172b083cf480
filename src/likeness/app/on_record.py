"""How does somebody at the command line act on a home? As themselves, admitted and on record."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app.access import Rows
from likeness.gallery import collections
from likeness.gallery.collections import Collection
from likeness.service.collection_facts import facts_of
from likeness.service.record import Record
from likeness.terms.use import UNDECLARED, Action, CollectionFacts, Use


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
    facts = CollectionFacts()
    if collection is not None:
        facts = rows.database.read(
            lambda connection: facts_of(
                connection, collections.seal_of(connection, rows.keyring, collection)
            )
        )
    principal = rows.somebody
    use = Use(
        principal,
        action,
        operation,
        None if collection is None else collection.id,
        facts,
        purpose=(*principal.purposes, UNDECLARED)[0],
    )
    with rows.desk.record(use) as record:
        yield record
