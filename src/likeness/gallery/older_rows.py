"""How do rows of an older Likeness come to be proven? All at once, before anything reads them.

1. References and what is staged get the proofs that they lack, as they are, in portions.
2. In one act cohorts are sealed for their calibrations, and every collection's key for rows that
   are proven. From then on a row without a proof is refused, for the key opens as that alone.

Whoever puts back one collection's key as it was finds it refused beside others that are proven, and
who puts back all of them once the installation's key was rotated.
"""

import logging
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection, select, update

from likeness.errors import KeyUnusable
from likeness.gallery import collections, proofs
from likeness.gallery.seal import Seal
from likeness.gallery.tables import COHORTS, COLLECTIONS
from likeness.secrets import Key, Keyring
from likeness.storage import Database

_logger = logging.getLogger(__name__)

_AT_ONCE = 2_000


def prove_older_rows(database: Database, keyring: Keyring) -> None:
    """Prove what a Likeness before 0012 wrote, where every collection is of one."""
    older = database.read(lambda connection: _older(connection, keyring))
    if not older:
        return
    _logger.info("rows of %d collections are proven as they are: this happens once", len(older))
    proven = 0
    for seal in older:
        while some := database.write(partial(_prove_some, seal=seal)):
            proven += some

    def bind(connection: Connection) -> None:
        for seal in _older(connection, keyring):
            while _prove_some(connection, seal):  # what came meanwhile
                pass
            _bind_cohorts(connection, seal)
            collections.seal_for_proven_rows(connection, keyring, seal.collection_id)

    database.write(bind)
    _logger.warning(
        "%d rows were proven as they are: `likeness secrets rotate` ends what older copies open",
        proven,
    )


def _older(connection: Connection, keyring: Keyring) -> list[Seal]:
    """Open the collections whose rows have no proofs; none where any collection's have."""
    seals = []
    for row in connection.execute(select(COLLECTIONS.c.id, COLLECTIONS.c.sealed_key)).all():
        with suppress(KeyUnusable):
            keyring.unseal(row.sealed_key, collections.key_context(row.id))
            return []
        with suppress(KeyUnusable):
            material = keyring.unseal(row.sealed_key, collections.older_key_context(row.id))
            seals.append(Seal(row.id, Key(material)))
    return seals


def _prove_some(connection: Connection, seal: Seal) -> int:
    return proofs.write_missing(connection, seal, _AT_ONCE) or proofs.write_missing_staged(
        connection, seal, _AT_ONCE
    )


def _bind_cohorts(connection: Connection, seal: Seal) -> None:
    ours = COHORTS.c.collection_id == seal.collection_id
    for row in connection.execute(select(COHORTS).where(ours)).all():
        sealed = seal.rebound_cohort(row.version, row.calibration, row.sealed_cohort)
        chosen = update(COHORTS).where(ours, COHORTS.c.version == row.version)
        connection.execute(chosen.values(sealed_cohort=sealed))
