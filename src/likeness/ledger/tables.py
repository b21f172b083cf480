"""Where the ledger lies: entries that are only added, a signed head, and keys.

Programs write one at a time, so the rows decide what comes next, whoever wrote last.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from likeness.storage import METADATA, Identifier, Serial

ENTRIES = Table(
    "ledger_entries",
    METADATA,
    # From 0, without a gap: the leaf's index in the tree.
    Column("position", Serial, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    # Of the leaf, then of every complete subtree that ends with it, 32 bytes each.
    Column("hashes", LargeBinary, nullable=False),
    # A keyed digest of position and leaf: which entry was changed, where the head says only that.
    Column("mark", LargeBinary(16), nullable=False),
)

# One row: the checkpoint of all entries, signed anew with each. An older one is not kept, so that
# whoever cuts entries off needs a copy of the database, or the key.
HEAD = Table(
    "ledger_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

# One row: the key that signs. What verifies is in the entries: one of kind `key` states each key.
KEYS = Table(
    "ledger_keys",
    METADATA,
    Column("public_key", LargeBinary(32), primary_key=True),
    Column("sealed_signing_key", LargeBinary, nullable=False),
    # Seals the keys of subjects and references, and makes marks.
    Column("sealed_secret", LargeBinary, nullable=False),
    # Marks of earlier entries were made with a secret that is lost.
    Column("secret_since", BigInteger, nullable=False),
)

# A subject's or a reference's own key; without it nobody can say which entries are about them.
SUBJECT_KEYS = Table(
    "ledger_subject_keys",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
)

# One row: how many keys of subjects and references there are, the sum of a keyed digest of each of
# their ids, and a keyed digest of both. Whoever has no key of ours can take no row out, nor put one
# in, and make the sum fit.
SUBJECT_KEY_SUM = Table(
    "ledger_subject_key_sum",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("total", LargeBinary(32), nullable=False),
    Column("mark", LargeBinary(32), nullable=False),
)

OF_LEDGER = (ENTRIES, HEAD, KEYS, SUBJECT_KEYS, SUBJECT_KEY_SUM)
