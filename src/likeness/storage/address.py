"""Where a database lies: a URL, read once, and never shown with its secrets."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from likeness.errors import InvalidRequest

_EXAMPLES = "sqlite:////folder/likeness.db or postgresql://user@host/database"


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A database in a file of this machine."""

    path: Path

    def __str__(self) -> str:
        """Name the file."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database on a server; `url` may hold a password."""

    url: URL

    def __str__(self) -> str:
        """Name server and database, and neither user nor password."""
        # A folder in the query is that of a Unix socket.
        host = self.url.host or self.url.query.get("host", "localhost")
        return f"PostgreSQL database {self.url.database} on {host}:{self.url.port or 5432}"


def read_address(url: str) -> SqliteFile | PostgresServer:
    """Read a database's URL; none of its text gets into an error.

    Raises:
        InvalidRequest: it is no URL of a database that Likeness knows.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without `from`: the cause quotes the URL.
        raise InvalidRequest(
            f"The URL of the database cannot be read. Write it like {_EXAMPLES}."
        ) from None
    match parsed.drivername:
        case "sqlite":
            if parsed.database in (None, "", ":memory:") or parsed.host or parsed.query:
                raise InvalidRequest(
                    "The URL of a SQLite file has a path and nothing else. Write it like"
                    f" {_EXAMPLES.split()[0]}."
                )
            return SqliteFile(Path(str(parsed.database)))
        case "postgresql" | "postgresql+psycopg":
            if not parsed.database:
                raise InvalidRequest(
                    "The URL of the PostgreSQL database does not name the database. Write it like"
                    f" {_EXAMPLES.split()[-1]}."
                )
            return PostgresServer(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise InvalidRequest(f"Not a database of Likeness: {other}. Use {_EXAMPLES}.")
