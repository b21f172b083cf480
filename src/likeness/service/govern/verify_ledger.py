"""Is the whole ledger as it was signed, and there at all beside rows whose making is an entry?"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from likeness.access import keys
from likeness.gallery import counts_by_key
from likeness.ledger import (
    Problem,
    SignedCheckpoint,
    Verification,
    open_marks,
    origin_of,
    verify_log,
)
from likeness.secrets import Keyring, VerifyingKey
from likeness.storage import read_installation


def verify_ledger(
    connection: Connection,
    keyring: Keyring,
    *,
    against: Sequence[SignedCheckpoint] = (),
    key: VerifyingKey | None = None,
) -> Verification:
    """Verify all entries of an installation; see `verify_log`, also for what it raises.

    A ledger without an entry holds by itself. Access keys and collections have entries, so that one
    that is empty beside them was emptied.
    """
    found = verify_log(
        connection,
        origin_of(read_installation(connection)),
        open_marks(connection, keyring),
        against=against,
        key=key,
    )
    if found.holds and not found.size:
        held = len(keys.every(connection)) + counts_by_key(connection).total()
        if held:
            says = (
                f"entries of the {held} access keys and collections that there are were expected,"
                " and there is none: the ledger was emptied"
            )
            return replace(found, problem=Problem(says, 0))
    return found
