"""Keys held in memory, never older than a moment: they say whose secret signs a request.

1. A key made, changed or disabled by another program counts within half a second: `Freshness` sees
   to it; one that was just made counts sooner. The revision says whether anything changed.
2. A secret ends when its time has come, whatever was read before.
3. Where the database cannot be read, nobody is known: `find` raises.
4. A key whose rows were changed by somebody who cannot seal is refused, it alone, and the log says
   so.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from likeness.access.access_key import AccessKey, BrokenKey, SecretId
from likeness.access.keys import listed, sealed_secrets, unusable
from likeness.access.tables import STATE
from likeness.access.vouching import opened_secret
from likeness.errors import KeyUnusable
from likeness.secrets import Keyring
from likeness.storage import Freshness
from likeness.terms import Principal

_logger = logging.getLogger(__name__)

# Who comes with a key that was just made is looked for again; guesses cost few reads a second.
_UNKNOWN_S = 0.02


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller's signature is checked with, and who they are then."""

    secret: str = field(repr=False)
    principal: Principal
    enabled: bool


class KnownKeys:
    """All keys of an installation, in memory; safe to use from many threads."""

    def __init__(
        self, freshness: Freshness, keyring: Keyring, clock: Callable[[], datetime]
    ) -> None:
        self._freshness = freshness
        self._keyring = keyring
        self._clock = clock
        self._revision: int | None = None
        # By what requests name a secret by: whose it is, and when it ends.
        self._known: dict[str, tuple[Credential | KeyUnusable, datetime | None]] = {}
        freshness.follow(self._read_what_changed)

    def find(self, access_key_id: str) -> Credential | None:
        """Find whose key that is; None where nobody has it, or its secret has ended.

        Raises:
            Conflict, DatabaseUnavailable: the keys cannot be read.
            KeyUnusable: what sealed this secret is gone, or a row of the key was changed.
        """
        self._freshness.ensure()
        if access_key_id not in self._known:
            self._freshness.ensure(_UNKNOWN_S)
        known, ends_at = self._known.get(access_key_id, (None, None))
        if ends_at is not None and ends_at <= self._clock():
            return None
        if isinstance(known, KeyUnusable):
            raise KeyUnusable(str(known))
        return known

    def _read_what_changed(self, connection: Connection) -> None:
        revision = connection.execute(select(STATE.c.revision)).scalar_one()
        if revision == self._revision:
            return
        sealed = sealed_secrets(connection)
        self._known = {
            one.access_key_id: (self._opened(key, one, sealed[one.access_key_id]), one.ends_at)
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
