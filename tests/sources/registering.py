"""Rows and keys to register sources with."""

from datetime import UTC, datetime
from uuid import uuid4

from likeness.secrets import Keyring
from likeness.sources import Source, SourceKind, add_source
from likeness.storage import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "rtsp://ada:tide-and-time@camera.example/main"


class Bench:
    """A database with sources, and keys."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring

    def add(self, name: str = "gate", address: str = ADDRESS, place: str | None = "Gate") -> Source:
        source = Source(
            uuid4(),
            name,
            SourceKind.STREAM,
            "rtsp://camera.example/main",
            "fixed-camera",
            place,
            NOW,
            "local:ada",
        )
        return self.database.write(lambda c: add_source(c, self.keyring, source, address))
