"""What does the database of a running CompreFace hold? It is read, and never written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from likeness.errors import InvalidRequest
from likeness.service.move.import_compreface import Example, Service
from likeness.storage import PostgresServer, faults_of, read_address, reading_engine

_LOCK_TIMEOUT_S = 10.0
# Pictures are fetched so many at a time.
_AT_ONCE = 4
_MISSING = """
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
                "the URL of CompreFace's PostgreSQL database was expected and another came: write"
                " it as postgresql://user@host/database"
            )
        self._address = address
        self._most_bytes = most_bytes
        self._engine = reading_engine(address, _LOCK_TIMEOUT_S)

    def services(self) -> Sequence[Service]:
        """List the services that have subjects."""
        with self._connected() as connection:
            missing = list(connection.execute(text(_MISSING)).scalars())
            if missing:
                raise InvalidRequest(
                    "CompreFace's tables model, subject, embedding and img were expected in"
                    f" {self._address}, and there is no {missing[0]}: name its database, of"
                    " CompreFace 0.6 or later"
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
