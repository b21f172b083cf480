"""Keys of jobs: one for each, and one for digests; the installation's key seals them."""

from collections import Counter
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from likeness.jobs.tables import JOBS, STATE
from likeness.secrets import Digester, Key, Keyring, count_by_key

_STATE_CONTEXT = b"key of digests of jobs"


def new_key(keyring: Keyring, job_id: str) -> tuple[Key, bytes]:
    """Make a job's key, and what to keep of it."""
    return keyring.new_data_key(_context(job_id))


def open_key(keyring: Keyring, job_id: str, sealed_key: bytes) -> Key:
    """Open the key of a job.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    return keyring.open_data_key(sealed_key, _context(job_id))


def place_of(job_id: str, what: str) -> bytes:
    """Say where something of a job belongs, for sealing."""
    return what.encode() + b" of job " + bytes.fromhex(job_id)


def digest_of(connection: Connection, keyring: Keyring, same_as: bytes) -> bytes | None:
    """Digest what makes jobs the same; None where nothing was ever digested."""
    sealed = connection.execute(select(STATE.c.sealed_key)).scalar()
    if sealed is None:
        return None
    return _digest(keyring.open_data_key(sealed, _STATE_CONTEXT), same_as)


def new_digest_of(connection: Connection, keyring: Keyring, same_as: bytes) -> bytes:
    """Digest what makes jobs the same; the first time, the key for that is made."""
    digest = digest_of(connection, keyring, same_as)
    if digest is not None:
        return digest
    key, sealed_key = keyring.new_data_key(_STATE_CONTEXT)
    connection.execute(insert(STATE), {"id": 1, "sealed_key": sealed_key})
    return _digest(key, same_as)


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    for row in connection.execute(select(JOBS.c.id, JOBS.c.sealed_key)).all():
        sealed_key = keyring.rewrap(row.sealed_key, _context(row.id))
        if sealed_key != row.sealed_key:
            chosen = update(JOBS).where(JOBS.c.id == row.id)
            connection.execute(chosen.values(sealed_key=sealed_key))
            rewrapped += 1
    for sealed in connection.execute(select(STATE.c.sealed_key)).scalars().all():
        sealed_key = keyring.rewrap(sealed, _STATE_CONTEXT)
        if sealed_key != sealed:
            connection.execute(update(STATE).values(sealed_key=sealed_key))
            rewrapped += 1
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count the keys of jobs by the id of the installation's key that seals them."""
    return count_by_key(
        sealed
        for table in (JOBS, STATE)
        for sealed in connection.execute(select(table.c.sealed_key)).scalars()
    )


def _digest(key: Key, same_as: bytes) -> bytes:
    return Digester(key, "same job").digest(sha256(same_as).digest())


def _context(job_id: str) -> bytes:
    return b"key of job " + bytes.fromhex(job_id)
