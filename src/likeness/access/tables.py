"""Where access lies: keys and their secrets, what changed last, tokens of requests.

A key's name is in the clear, as a collection's is: an operator's label, which no log and no entry
of the ledger holds.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from likeness.storage import METADATA, Identifier, Instant

KEYS = Table(
    "access_keys",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("role", String, nullable=False),
    Column("organisation", String(255), nullable=False),
    Column("sector", String, nullable=False),
    Column("jurisdiction", String, nullable=False),
    # JSON: a list of words, the first is in force where a use chooses none.
    Column("purposes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
    Column("disabled_at", Instant),
    UniqueConstraint("name"),
)

# A key's newest secret has no end; older ones are there only while a rotation lets them live on.
SECRETS = Table(
    "access_secrets",
    METADATA,
    Column("access_key_id", String(20), primary_key=True),
    Column("key_id", Identifier, ForeignKey(KEYS.c.id), nullable=False, index=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ends_at", Instant),
)

# One row. The revision counts up with every change to a key, so that servers see it soon.
STATE = Table(
    "access_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    # Made when the first token comes; digests tokens and seals what was answered.
    Column("sealed_token_key", LargeBinary),
)

# All of it under the token key: tokens are the caller's words, and answers hold what callers chose.
TOKENS = Table(
    "access_request_tokens",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("input_digest", LargeBinary(32), nullable=False),
    Column("sealed_response", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)
