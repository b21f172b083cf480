"""Marks of who was erased: nothing of them, and enough to know them if they come again.

A mark is a keyed digest (HMAC-SHA-256, cut to 16 bytes) of an id of ours, or of a picture's digest
and a face's place in it. Its key is the home's own, sealed by the installation's: without it nobody
can tell whose mark it is, and with it only who has the id or the picture.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Row, func, insert, select, update

from likeness.errors import KeyUnusable
from likeness.gallery import stored_collections
from likeness.gallery.certificate import Erased, ErasureCertificate, Return
from likeness.gallery.seal import Details, place_of
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.tables import ERASURES, MARKS, MARKS_KEY, REFERENCES, SUBJECTS
from likeness.secrets import Digester, Key, Keyring, key_id_of
from likeness.storage import leaving_out, legible_page
from likeness.terms import in_batches

_CONTEXT = b"key of marks of the erased"
_MARK_BYTES = 16
_AT_A_TIME = 900
_PAGE = 2_000


class Marked(StrEnum):
    """What a mark is of."""

    ID = "id"
    """A subject or reference that was erased."""
    WHOLE = "whole"
    """One that went with its collection: an import may bring it back, and says so."""
    PICTURE = "picture"
    BACK = "back"
    """One that was erased and brought back on purpose: an import takes them again."""


_FIRST = (Marked.ID, Marked.BACK, Marked.WHOLE)


def _kind_of(stored: str) -> Marked:
    try:
        return Marked(stored)
    except ValueError as error:
        raise KeyUnusable(
            f"A row of table {MARKS.name} says no kind of mark: it was changed from outside, and"
            " nobody can tell whether it is of somebody erased. Restore it from a backup."
        ) from error


@dataclass(frozen=True, slots=True)
class _Marker:
    """Makes the marks of a home."""

    key: Key

    def of_id(self, one: UUID) -> bytes:
        return Digester(self.key, "id").digest(one.bytes)[:_MARK_BYTES]

    def of_picture(self, sample_sha256: bytes, place: tuple[int, int]) -> bytes:
        content = sample_sha256 + b"%d,%d" % place
        return Digester(self.key, "picture").digest(content)[:_MARK_BYTES]


def mark_ids(
    connection: Connection,
    keyring: Keyring,
    erasure_id: UUID,
    ids: Iterable[UUID],
    kind: Marked = Marked.ID,
) -> None:
    """Mark subjects and references, by their ids, in an act that erases them.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    unique = dict.fromkeys(ids)
    if unique:
        marker = _ensure_marker(connection, keyring)
        _keep(connection, erasure_id, kind, (marker.of_id(one) for one in unique))


def mark_pictures(
    connection: Connection, keyring: Keyring, erasure_id: UUID, faces: Iterable[Details]
) -> None:
    """Mark faces of pictures that are erased, in an act that erases them; raises as `mark_ids`."""
    places = {(one.sample_sha256, place_of(one.face.box)) for one in faces}
    if places:
        marker = _ensure_marker(connection, keyring)
        _keep(connection, erasure_id, Marked.PICTURE, {marker.of_picture(*one) for one in places})


def erased_unmarked(connection: Connection) -> dict[UUID, UUID]:
    """List the subjects whom a Likeness erased that kept no marks, each with the erasure.

    Raises:
        KeyUnusable: the row of an erasure was changed from outside.
    """
    ours = MARKS.c.erasure_id == ERASURES.c.id, MARKS.c.kind != Marked.BACK.value
    chosen = select(ERASURES.c.id, ERASURES.c.content)
    found: dict[UUID, UUID] = {}
    for row in connection.execute(chosen.where(~select(MARKS.c.mark).where(*ours).exists())):
        try:
            erased = Erased.from_json(json.loads(row.content)["erased"])
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise KeyUnusable(
                f"Whom erasure {row.id} took, in table {ERASURES.name}, cannot be read. Restore its"
                " row from a backup, or import with --bring-back."
            ) from error
        found |= dict.fromkeys(erased.subject_ids, row.id)
    return found


def marked_among(
    connection: Connection, keyring: Keyring, ids: Sequence[UUID]
) -> dict[UUID, Marked]:
    """Say which of some ids were erased here, and what became of them.

    Of one that was erased several times, `ID` counts before `BACK`, and that before `WHOLE`.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    marker = _find_marker(connection, keyring)
    if marker is None:
        return {}
    found: dict[UUID, Marked] = {}
    for some in in_batches(ids, _AT_A_TIME):
        by_mark = {marker.of_id(one): one for one in some}
        chosen = select(MARKS.c.mark, MARKS.c.kind).where(MARKS.c.mark.in_(by_mark))
        for row in connection.execute(chosen):
            kind, known = _kind_of(row.kind), found.get(by_mark[row.mark])
            if known is None or _FIRST.index(kind) < _FIRST.index(known):
                found[by_mark[row.mark]] = kind
    return found


def mark_back(
    connection: Connection, keyring: Keyring, erasure_ids: Mapping[UUID, UUID | None]
) -> None:
    """Mark those who were erased, by their ids, as brought back.

    Each comes with the erasure that kept no mark of them, None where one did.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    marker = _ensure_marker(connection, keyring)
    for some in in_batches(erasure_ids, _AT_A_TIME):
        marks = [marker.of_id(one) for one in some]
        theirs = MARKS.c.mark.in_(marks), MARKS.c.kind == Marked.ID.value
        connection.execute(update(MARKS).where(*theirs).values(kind=Marked.BACK.value))
    for subject_id, erasure_id in erasure_ids.items():
        if erasure_id is not None:
            _keep(connection, erasure_id, Marked.BACK, [marker.of_id(subject_id)])


def returned(
    connection: Connection, keyring: Keyring, certificate: ErasureCertificate
) -> tuple[tuple[Return, ...], int]:
    """Look in every collection for what a certificate says is gone; count rows that do not open.

    Subjects are found by their ids, the rest by marks: every reference is looked at, and opened
    where pictures were marked.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    chosen = select(MARKS.c.kind, MARKS.c.mark).where(MARKS.c.erasure_id == certificate.id)
    marks: dict[Marked, set[bytes]] = {kind: set() for kind in Marked}
    for kind, mark in connection.execute(chosen):
        marks[_kind_of(kind)].add(mark)
    look = _Look(
        _find_marker(connection, keyring),
        frozenset(certificate.erased.subject_ids),
        marks[Marked.ID] | marks[Marked.WHOLE] | marks[Marked.BACK],
        marks[Marked.PICTURE],
    )
    found, unreadable = [], 0
    for collection in stored_collections.every(connection):
        its, unread = look.into(connection, keyring, collection, certificate.collection_id)
        unreadable += unread
        if its is not None:
            found.append(its)
    return tuple(found), unreadable


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked for in collections."""

    marker: _Marker | None
    subject_ids: frozenset[UUID]
    ids: set[bytes]
    pictures: set[bytes]

    def into(
        self,
        connection: Connection,
        keyring: Keyring,
        collection: StoredCollection,
        erased_from: UUID,
    ) -> tuple[Return | None, int]:
        """Look into one, of which rows of who was erased from it are counted elsewhere."""
        ours = SUBJECTS.c.collection_id == collection.id
        subjects = 0
        if self.marker is not None and self.ids:
            subjects = sum(
                row.id in self.subject_ids or self.marker.of_id(row.id) in self.ids
                for row in _each(connection, SUBJECTS.c.number, [SUBJECTS.c.id], ours)
            )
        elif collection.id != erased_from:
            for some in in_batches(self.subject_ids, _AT_A_TIME):
                theirs = select(SUBJECTS.c.id).where(ours, SUBJECTS.c.id.in_(some))
                subjects += len(connection.execute(theirs).all())
        references, pictures, unreadable = self._references(connection, keyring, collection)
        if not (subjects or references or pictures):
            return None, unreadable
        return Return(collection.name, subjects, references, pictures), unreadable

    def _references(
        self, connection: Connection, keyring: Keyring, collection: StoredCollection
    ) -> tuple[int, int, int]:
        if self.marker is None or not (self.ids or self.pictures):
            return 0, 0, 0
        columns: list[Column[Any]] = [REFERENCES.c.id]
        if self.pictures:
            columns.append(REFERENCES.c.sealed_details)
        try:
            seal = stored_collections.seal_of(connection, keyring, collection)
        except KeyUnusable:
            return 0, 0, collection.size.references
        number, ours = REFERENCES.c.number, REFERENCES.c.collection_id == collection.id
        unread = connection.execute(select(func.count()).where(ours)).scalar_one()
        by_id = by_picture = 0
        for row in _each(connection, number, columns, ours):
            with leaving_out(connection, number, row):
                if self.marker.of_id(row.id) in self.ids:
                    by_id += 1
                elif self.pictures:
                    details = seal.opened_details(row.id, row.sealed_details)
                    by_picture += self._is_of_picture(details)
                unread -= 1
        return by_id, by_picture, unread

    def _is_of_picture(self, details: Details) -> bool:
        """Whether the face, or one next to it, was marked: boxes move a little with settings."""
        x, y = place_of(details.face.box)
        return self.marker is not None and any(
            self.marker.of_picture(details.sample_sha256, (x + dx, y + dy)) in self.pictures
            for dx, dy in product((0, -1, 1), repeat=2)
        )


def _each(
    connection: Connection,
    number: Column[int],
    columns: Sequence[Column[Any]],
    chosen: ColumnElement[bool],
) -> Iterator[Row[Any]]:
    """Give rows in the order of their numbers, some at a time; what is damaged is left out."""
    statement, after = select(number, *columns).where(chosen), 0
    while rows := legible_page(connection, number, statement, _as_it_is, after, _PAGE):
        yield from rows
        after = rows[-1][0]


def _as_it_is(row: Row[Any]) -> Row[Any]:
    return row


def rewrap_key(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    for sealed in connection.execute(select(MARKS_KEY.c.sealed_key)).scalars().all():
        sealed_key = keyring.rewrap(sealed, _CONTEXT)
        if sealed_key != sealed:
            connection.execute(update(MARKS_KEY).values(sealed_key=sealed_key))
            return 1
    return 0


def count_by_key(connection: Connection) -> Counter[str]:
    """Count the key of marks by the id of the installation's key that seals it."""
    sealed = connection.execute(select(MARKS_KEY.c.sealed_key)).scalars()
    return Counter(key_id_of(one) for one in sealed)


def _keep(connection: Connection, erasure_id: UUID, kind: Marked, marks: Iterable[bytes]) -> None:
    for some in in_batches(marks, _AT_A_TIME):
        rows = [{"erasure_id": erasure_id, "kind": kind.value, "mark": one} for one in some]
        connection.execute(insert(MARKS), rows)


def _find_marker(connection: Connection, keyring: Keyring) -> _Marker | None:
    sealed = connection.execute(select(MARKS_KEY.c.sealed_key)).scalar()
    return None if sealed is None else _Marker(keyring.open_data_key(sealed, _CONTEXT))


def _ensure_marker(connection: Connection, keyring: Keyring) -> _Marker:
    known = _find_marker(connection, keyring)
    if known is not None:
        return known
    key, sealed_key = keyring.new_data_key(_CONTEXT)
    connection.execute(insert(MARKS_KEY), {"id": 1, "sealed_key": sealed_key})
    return _Marker(key)
