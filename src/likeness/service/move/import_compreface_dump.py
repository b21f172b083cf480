"""What does a dump of CompreFace's database hold? SQL as `pg_dump` writes it, with COPY blocks.

It is read twice, since pictures may come before it is known whose they are: at first names and ids
are held, then one picture at a time.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from likeness.errors import InvalidRequest
from likeness.service.move.import_compreface import Example, Service

# The columns that are read, by table.
_COLUMNS = {
    "model": ("name", "api_key"),
    "subject": ("id", "api_key", "subject_name"),
    "embedding": ("id", "subject_id", "img_id"),
    "img": ("id", "content"),
}
_COPY = re.compile(rb'COPY (?:"?public"?\.)?"?(\w+)"? \(([^)]*)\) FROM stdin;\s*$')
_END = b"\\."
_NULL = b"\\N"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MEANT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
# As COPY escapes the backslash before bytes in hexadecimal.
_HEX = b"\\\\x"
_CUSTOM_FORMAT = b"PGDMP"
# Of a row without a picture: names, and the numbers of an embedding.
_ROW_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Subject:
    name: str
    api_key: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's columns as they are written; of one that is too long, the end is missing."""

    table: str
    columns: Mapping[str, bytes]
    size_bytes: int
    is_whole: bool

    def text(self, column: str) -> str:
        written = self.columns[column]
        if written == _NULL:
            return ""
        return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), written).decode()

    def id(self, column: str) -> UUID:
        return UUID(self.text(column))


class CompreFaceDump:
    """A dump of CompreFace's database in plain SQL."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Read names and ids; of a picture, `most_bytes` are read at most.

        Raises:
            InvalidRequest: the file cannot be read, or is no such dump.
        """
        self._path = path
        self._most_bytes = most_bytes
        self._names: list[tuple[str, str]] = []
        self._subjects: dict[UUID, _Subject] = {}
        # Ids of an example, its subject and its picture.
        self._examples: list[tuple[UUID, UUID, UUID | None]] = []
        with self._opened() as file:
            for row in self._rows(file, {"model", "subject", "embedding"}):
                self._keep(row)

    def services(self) -> Sequence[Service]:
        """List the services that have subjects."""
        counts = Counter(
            self._subjects[subject].api_key
            for _, subject, _ in self._examples
            if subject in self._subjects
        )
        return [
            Service(name, api_key, counts[api_key])
            for name, api_key in sorted(self._names)
            if api_key in counts
        ]

    def examples(self, service: Service) -> Iterator[Example]:
        """Read a service's examples, in the order of their pictures."""
        waiting: dict[UUID | None, list[tuple[UUID, str]]] = {}
        for example, subject_id, img in self._examples:
            subject = self._subjects.get(subject_id)
            if subject is not None and subject.api_key == service.api_key:
                waiting.setdefault(img, []).append((example, subject.name))
        with self._opened() as file:
            for row in self._rows(file, {"img"}):
                for example, name in waiting.pop(row.id("id"), []):
                    yield Example(example, name, *self._picture(row))
        for examples in waiting.values():
            for example, name in examples:
                yield Example(example, name, None, None)

    def _keep(self, row: _Row) -> None:
        match row.table:
            case "model":
                self._names.append((row.text("name"), row.text("api_key")))
            case "subject":
                subject = _Subject(row.text("subject_name"), row.text("api_key"))
                self._subjects[row.id("id")] = subject
            case _:
                img = None if row.columns["img_id"] == _NULL else row.id("img_id")
                self._examples.append((row.id("id"), row.id("subject_id"), img))

    def _picture(self, row: _Row) -> tuple[bytes | None, int]:
        if not row.is_whole:
            return None, row.size_bytes // 2
        content = row.columns["content"]
        if not content.startswith(_HEX):
            raise ValueError("a picture is not in hexadecimal")
        picture = bytes.fromhex(content[len(_HEX) :].decode("ascii"))
        return picture if len(picture) <= self._most_bytes else None, len(picture)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with self._path.open("rb") as file:
                if file.read(len(_CUSTOM_FORMAT)) == _CUSTOM_FORMAT:
                    raise InvalidRequest(
                        f"a dump in plain SQL was expected and '{self._path}' is in pg_dump's own"
                        " format: make SQL of it with `pg_restore --file OUT.sql`"
                    )
                file.seek(0)
                yield file
        except OSError as error:
            raise InvalidRequest(
                f"a dump was expected and '{self._path}' cannot be read ({error.strerror}): name"
                " a dump of CompreFace's database, or its URL"
            ) from error
        except ValueError as error:  # of an id, a text, or what is in hexadecimal
            raise InvalidRequest(
                f"a dump of CompreFace's database was expected and '{self._path}' has a row that"
                f" is none of its ({error}): dump it anew"
            ) from error

    def _rows(self, file: BinaryIO, tables: set[str]) -> Iterator[_Row]:
        missing = set(tables)
        while line := _line(file, _ROW_BYTES)[0]:
            begins = _COPY.match(line)
            if begins is None:
                continue
            table = begins[1].decode()
            names = [name.strip(b' "').decode() for name in begins[2].split(b",")]
            # Every block is read to its end: a row of another may look like the beginning of one.
            is_wanted = table in tables and set(_COLUMNS[table]) <= set(names)
            if is_wanted:
                missing.discard(table)
            for row, size_bytes in self._block(file):
                if is_wanted:
                    columns = dict(zip(names, row.split(b"\t", len(names)), strict=True))
                    yield _Row(table, columns, size_bytes, is_whole=size_bytes == len(row))
        if missing:
            raise InvalidRequest(
                "CompreFace's tables model, subject, embedding and img were expected in"
                f" '{self._path}', and there is no COPY of {min(missing)}: dump the whole database"
                " of CompreFace 0.6 or later with `pg_dump`, without --inserts"
            )

    def _block(self, file: BinaryIO) -> Iterator[tuple[bytes, int]]:
        while True:
            line, size_bytes = _line(file, _ROW_BYTES + 2 * self._most_bytes)
            if not line:
                raise ValueError("it is cut off")
            row = line.rstrip(b"\r\n")  # within a row both are escaped
            if row == _END:
                return
            yield row, size_bytes - (len(line) - len(row))


def _line(file: BinaryIO, most_bytes: int) -> tuple[bytes, int]:
    """Read a line, of which not more than `most_bytes` are kept; say how long it was."""
    line = file.readline(most_bytes)
    size_bytes, piece = len(line), line
    while piece and not piece.endswith(b"\n"):
        piece = file.readline(most_bytes)
        size_bytes += len(piece)
    return line, size_bytes
