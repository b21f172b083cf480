"""Whose secret signs this request? Keys held in memory, never older than a moment.

What holds:

1. A key made, changed or disabled by another program counts within half a second: the revision is
   read when the last look is that old, and the keys when it has changed.
2. A secret ends when its time has come, whatever was read before.
3. Where the database cannot be read, nobody is known: `find` raises.
4. A key whose rows were changed by somebody who cannot seal is refused, it alone, and the log says
   so.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from likeness.access.access_key import AccessKey, BrokenKey, SecretId
from likeness.access.keys import listed, unusable
from likeness.access.tables import SECRETS, STATE
from likeness.access.vouching import opened_secret
from likeness.errors import KeyUnusable
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Principal

_logger = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller's signature is checked with, and who they are then."""

    secret: str = field(repr=False)
    principal: Principal
    enabled: bool


class KnownKeys:
    """All keys of an installation, in memory; safe to use from many threads."""

    def __init__(self, database: Database, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._revision: int | None = None
        self._known: dict[str, _Known] = {}

    def find(self, access_key_id: str) -> Credential | None:
        """Find whose key that is; None where nobody has it, or its secret has ended.

        Raises:
            Conflict, DatabaseUnavailable: the keys cannot be read.
            KeyUnusable: what sealed this secret is gone, or a row of the key was changed.
        """
        with self._lock:
            now = self._clock()
            self._look_if_due(now)
            known = self._known.get(access_key_id)
        if known is None or (known.ends_at is not None and known.ends_at <= now):
            return None
        if isinstance(known.credential, KeyUnusable):
            raise KeyUnusable(str(known.credential))
        return known.credential

    def _look_if_due(self, now: datetime) -> None:
        # A clock that was set back is a reason to look, too.
        if self._looked_at is None or not timedelta() <= now - self._looked_at < _LOOK_EVERY:
            self._database.read(self._read_what_changed)
            self._looked_at = now

    def _read_what_changed(self, connection: Connection) -> None:
        revision = connection.execute(select(STATE.c.revision)).scalar_one()
        if revision == self._revision:
            return
        sealed = {
            row.access_key_id: row.sealed_secret
            for row in connection.execute(select(SECRETS.c.access_key_id, SECRETS.c.sealed_secret))
        }
        self._known = {
            one.access_key_id: _Known(
                self._opened(key, one, sealed[one.access_key_id]), one.ends_at
            )
            for key in listed(connection)
            for one in key.secret_ids
        }
        self._revision = revision

    def _opened(
        self, key: AccessKey | BrokenKey, one: SecretId, sealed: bytes
    ) -> Credential | KeyUnusable:
        try:
            if isinstance(key, BrokenKey):
                raise unusable(key)
            secret = opened_secret(self._keyring, key, one, sealed).decode()
        except KeyUnusable as error:
            _logger.error("%s", error)
            return error  # of this key alone
        return Credential(secret, key.principal, enabled=key.disabled_at is None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a secret; `ends_at` is None where no end is set."""

    credential: Credential | KeyUnusable
    ends_at: datetime | None
