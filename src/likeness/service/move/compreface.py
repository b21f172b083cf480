"""Pictures that CompreFace holds, and whose they are: its subjects' examples, to be enrolled.

CompreFace (github.com/exadel-inc/CompreFace, 0.6 and later) keeps in PostgreSQL: `model` (a
service, with `api_key`), `subject` (a name, of an api_key), `embedding` (an example, of a subject)
and `img` (an example's picture). Embeddings are another model's and stay where they are. They are
read from the database of a CompreFace that runs, which is never written; or from its dump, SQL as
`pg_dump` writes it, with COPY blocks. That is read twice, since pictures may come before it is
known whose they are: at first names and ids are held, then one picture at a time.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from sqlalchemy import Connection, text

from likeness.errors import ImageTooLarge, InvalidImage, InvalidRequest
from likeness.service.enrol.sources import NamedPicture, refused_picture
from likeness.storage import PostgresServer, faults_of, read_address, reading_engine
from likeness.terms import composed
from likeness.vision.decode import DecodeLimits, Sample, inspect

_LOCK_TIMEOUT_S = 10.0
# Pictures are fetched so many at a time.
_AT_ONCE = 4
_MISSING_TABLES = """
    SELECT name FROM unnest(
        ARRAY['public.model', 'public.subject', 'public.embedding', 'public.img']
    ) AS name WHERE to_regclass(name) IS NULL
"""
_SERVICES = """
    SELECT model.name, model.api_key, count(*) AS examples
    FROM public.model
    JOIN public.subject ON subject.api_key = model.api_key
    JOIN public.embedding ON embedding.subject_id = subject.id
    GROUP BY model.name, model.api_key ORDER BY model.name, model.api_key
"""
_EXAMPLES = """
    SELECT embedding.id, coalesce(subject.subject_name, '') AS subject,
        octet_length(img.content) AS size_bytes,
        CASE WHEN octet_length(img.content) <= :most THEN img.content END AS picture
    FROM public.embedding
    JOIN public.subject ON subject.id = embedding.subject_id
    LEFT JOIN public.img ON img.id = embedding.img_id
    WHERE subject.api_key = :api_key
"""
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
class Service:
    """A recognition service of CompreFace; `examples` counts what its subjects have."""

    name: str
    api_key: str
    examples: int


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a subject; `picture` is None where CompreFace kept none that can be read.

    `id` is CompreFace's image id; `size_bytes` is that of the picture, also where it is too large.
    """

    id: UUID
    subject: str
    picture: bytes | None
    size_bytes: int | None


class CompreFace(Protocol):
    """What CompreFace keeps, wherever it lies."""

    def services(self) -> Sequence[Service]:
        """List the services that have subjects.

        Raises:
            InvalidRequest: what CompreFace keeps is not here.
            DatabaseUnavailable: it cannot be read.
        """

    def examples(self, service: Service) -> Iterator[Example]:
        """Read a service's examples one after the other; raises what `services` raises."""


@dataclass(frozen=True, slots=True)
class CompreFacePictures:
    """The pictures of a service, to be enrolled: counted, and read when it is their turn."""

    compreface: CompreFace
    service: Service

    def __len__(self) -> int:
        """Count them."""
        return self.service.examples

    def __iter__(self) -> Iterator[NamedPicture]:
        """Name each; one that cannot be enrolled says why when it is read."""
        return map(_named, self.compreface.examples(self.service))


def compreface_pictures(compreface: CompreFace, service: str | None) -> CompreFacePictures:
    """Choose a service by its name or API key; the only one without.

    Raises:
        InvalidRequest: none or several are meant, or `CompreFace.services` says so.
        DatabaseUnavailable: CompreFace cannot be read.
    """
    services = compreface.services()
    asked = None if service is None else composed(service)
    meant = [one for one in services if asked in (None, composed(one.name), one.api_key)]
    if len(meant) == 1:
        return CompreFacePictures(compreface, meant[0])
    # Never their keys, which open them.
    names = ", ".join(repr(one.name) for one in services) or "none"
    way_out = "Give its API key instead of its name." if service else "Choose one with --service."
    raise InvalidRequest(
        f"{len(meant) or 'No'} services of CompreFace are meant; those with subjects are {names}."
        f" {way_out}"
    )


def _named(example: Example) -> NamedPicture:
    place, image_id = f"CompreFace image {example.id}", str(example.id)
    read = partial(_read, example.picture, example.size_bytes)
    try:
        return NamedPicture(place, read, example.subject, external_id=image_id)
    except InvalidRequest as error:
        return refused_picture(place, error, image_id)


def _read(picture: bytes | None, size_bytes: int | None, limits: DecodeLimits) -> Sample:
    if size_bytes is None:
        raise InvalidImage(
            "CompreFace kept no picture of this example. Enrol the person from another source."
        )
    if picture is None:
        raise ImageTooLarge(
            f"{size_bytes} bytes, and {limits.max_bytes} are the most. Give a smaller file, or"
            " raise the limit."
        )
    return inspect(picture, limits)


class CompreFaceDatabase:
    """The database of a CompreFace, read as it is at one moment."""

    def __init__(self, url: str, most_bytes: int) -> None:
        """Remember where it is; `most_bytes` are read of a picture.

        Raises:
            InvalidRequest: the URL is none of a PostgreSQL database.
            DatabaseUnavailable: the driver is missing.
        """
        address = read_address(url)
        if not isinstance(address, PostgresServer):
            raise InvalidRequest(
                "Not the URL of CompreFace's PostgreSQL database. Write it as"
                " postgresql://user@host/database."
            )
        self._address = address
        self._most_bytes = most_bytes
        self._engine = reading_engine(address, _LOCK_TIMEOUT_S)

    def services(self) -> Sequence[Service]:
        """List the services that have subjects."""
        with self._connected() as connection:
            missing = list(connection.execute(text(_MISSING_TABLES)).scalars())
            if missing:
                raise InvalidRequest(
                    f"No table {missing[0]} in {self._address}, and CompreFace has model, subject,"
                    " embedding and img. Name its database, of CompreFace 0.6 or later."
                )
            rows = connection.execute(text(_SERVICES))
            return [Service(row.name, row.api_key, row.examples) for row in rows]

    def examples(self, service: Service) -> Iterator[Example]:
        """Read a service's examples, a few at a time."""
        with self._connected() as connection:
            rows = connection.execution_options(yield_per=_AT_ONCE).execute(
                text(_EXAMPLES), {"api_key": service.api_key, "most": self._most_bytes}
            )
            for row in rows:
                yield Example(row.id, row.subject, row.picture, row.size_bytes)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with faults_of(self._address), self._engine.begin() as connection:
            yield connection


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
            if self._path.exists() and not self._path.is_file():
                raise InvalidRequest(
                    f"'{self._path}' is no file, and a dump is read twice. Name a file."
                )
            with self._path.open("rb") as file:
                if file.read(len(_CUSTOM_FORMAT)) == _CUSTOM_FORMAT:
                    raise InvalidRequest(
                        f"'{self._path}' is in pg_dump's own format, not plain SQL. Make SQL of it"
                        " with `pg_restore --file OUT.sql`."
                    )
                file.seek(0)
                yield file
        except OSError as error:
            raise InvalidRequest(
                f"'{self._path}' cannot be read ({error.strerror}). Name a dump of CompreFace's"
                " database, or its URL."
            ) from error
        except ValueError as error:  # of an id, a text, or what is in hexadecimal
            raise InvalidRequest(
                f"'{self._path}' has a row that is none of CompreFace's ({error}). Dump its"
                " database anew."
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
                f"No COPY of {min(missing)} in '{self._path}'. Dump the whole database of"
                " CompreFace 0.6 or later with `pg_dump`, without --inserts."
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
