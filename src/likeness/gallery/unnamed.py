"""References that are nobody's, and those among them that people set aside.

They need no proof here: whoever gives them to somebody reads them anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, update

from likeness.gallery.stored_collections import Unit
from likeness.gallery.tables import REFERENCES
from likeness.storage import legible_page, legible_rows
from likeness.terms import in_batches

_AT_A_TIME = 900
_READ = select(*(REFERENCES.c[name] for name in ("number", "id", "sample_id")))


@dataclass(frozen=True, slots=True)
class UnnamedReference:
    """A reference that is nobody's; faces of one sample share `sample_id`."""

    number: int
    id: UUID
    sample_id: UUID


class Unnamed(Unit):
    """The references of a collection that are nobody's."""

    __slots__ = ()

    def page(self, *, after: int = 0, limit: int = 1000) -> list[UnnamedReference]:
        """List at most `limit` whose number is above `after`, without those that were set aside."""
        chosen = _READ.where(*self._listed)
        number = REFERENCES.c.number
        return legible_page(self.connection, number, chosen, _reference, after, limit)

    def among(self, ids: Sequence[UUID]) -> list[UnnamedReference]:
        """Find those of some references that are listed still, in the order they came."""
        found = [
            _reference(row)
            for some in in_batches(ids, _AT_A_TIME)
            for row in legible_rows(
                self.connection,
                REFERENCES.c.number,
                _READ.where(*self._listed, REFERENCES.c.id.in_(some)),
            )
        ]
        return sorted(found, key=lambda one: one.number)

    def set_aside(self, ids: Sequence[UUID], now: datetime) -> list[UUID]:
        """List some references no more; say which those are."""
        found = [one.id for one in self.among(ids)]
        for some in in_batches(found, _AT_A_TIME):
            chosen = update(REFERENCES).where(self._ours, REFERENCES.c.id.in_(some))
            self.connection.execute(chosen.values(set_aside_at=now))
        return found

    def list_again(self) -> int:
        """List all again that were set aside; say how many those are."""
        chosen = update(REFERENCES).where(*self._aside).values(set_aside_at=None)
        return self.connection.execute(chosen).rowcount

    def are_any_set_aside(self) -> bool:
        """Say whether any was set aside."""
        chosen = select(REFERENCES.c.number).where(*self._aside).limit(1)
        return self.connection.execute(chosen).first() is not None

    @property
    def _ours(self) -> ColumnElement[bool]:
        return REFERENCES.c.collection_id == self.seal.collection_id

    @property
    def _nobodys(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return self._ours, REFERENCES.c.subject_number.is_(None)

    @property
    def _listed(self) -> tuple[ColumnElement[bool], ...]:
        return *self._nobodys, REFERENCES.c.set_aside_at.is_(None)

    @property
    def _aside(self) -> tuple[ColumnElement[bool], ...]:
        return *self._nobodys, REFERENCES.c.set_aside_at.is_not(None)


def _reference(row: Row[Any]) -> UnnamedReference:
    return UnnamedReference(row.number, row.id, row.sample_id)
