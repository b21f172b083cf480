"""Where policy lies: which packs are enabled, what is suspended, what changed last.

In the clear: an operator's choices and words, no caller's.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from likeness.storage import METADATA, Identifier, Instant

PACKS = Table(
    "policy_packs",
    METADATA,
    Column("name", String(64), primary_key=True),
    # JSON: what was chosen, by name; the rest is as the pack has it.
    Column("choices", Text, nullable=False),
    # Of a pack of the operator's own; one that is shipped is read from where it is.
    Column("facts", Text),
    Column("rules", Text),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String, nullable=False),
    CheckConstraint("(facts IS NULL) = (rules IS NULL)", name="own"),
)

SUSPENSIONS = Table(
    "policy_suspensions",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("scope", String(16), nullable=False),
    # Empty where everything is.
    Column("subject", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", String, nullable=False),
    UniqueConstraint("scope", "subject"),
)

# One row. The revision counts up with every change, so that servers see it soon.
STATE = Table(
    "policy_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# Report cards that an admin accepted as evidence about a model. Several may be about one.
EVIDENCE = Table(
    "policy_evidence",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("model", Text, nullable=False),
    Column("test", String(64), nullable=False),
    # Ten-thousandths of a percent, so that it is exact.
    Column("least_true_positives", BigInteger, nullable=False),
    # The card as it was given, and who signed it.
    Column("card", Text, nullable=False),
    Column("card_digest", String(64), nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("accepted_by", String, nullable=False),
    UniqueConstraint("card_digest"),
)

# Uses of a day by organisation, while a rule limits them.
USES = Table(
    "policy_uses",
    METADATA,
    Column("organisation", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("uses", BigInteger, nullable=False),
)
