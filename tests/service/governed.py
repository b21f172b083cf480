"""The rows of a home as far as acts of governing use them."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from likeness.ledger import Ledger
from likeness.secrets import Keyring
from likeness.service.uses import Rows
from likeness.storage import Database


def governed(database: Database, keyring: Keyring, desk: Any, ledger: Ledger | None = None) -> Rows:
    unused = dict.fromkeys(field.name for field in fields(Rows))
    used = {"database": database, "keyring": keyring, "desk": desk, "ledger": ledger}
    parts: dict[str, Any] = {**unused, **used, "clock": lambda: datetime.now(UTC)}
    return Rows(**parts)
