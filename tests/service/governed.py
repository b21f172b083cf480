"""A home as acts of governing take it, made of its parts."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from likeness.ledger import Ledger
from likeness.secrets import Keyring
from likeness.storage import Database


def governed(database: Database, keyring: Keyring, desk: Any, ledger: Ledger | None = None) -> Any:
    return SimpleNamespace(
        database=database,
        keyring=keyring,
        desk=desk,
        ledger=ledger,
        clock=lambda: datetime.now(UTC),
    )
