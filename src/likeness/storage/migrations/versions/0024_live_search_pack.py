"""Put the pack in force by which live searches state where, by whom, for whom and until when.

No installation has had a live search before, so nothing that was allowed is refused by it.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Instant

revision = "0024"
down_revision = "0023"

_PACKS = sa.table(
    "policy_packs",
    sa.column("name", sa.String),
    sa.column("choices", sa.Text),
    sa.column("changed_at", Instant),
    sa.column("changed_by", sa.String),
)
_NAME = "live-search"


def upgrade() -> None:
    """Enable it, but where an operator's own pack has its name."""
    connection = op.get_bind()
    own = sa.select(_PACKS.c.name).where(_PACKS.c.name == _NAME)
    if connection.execute(own).first() is not None:
        return
    row = {
        "name": _NAME,
        "choices": "{}",
        "changed_at": datetime.now(UTC),
        "changed_by": "installation",
    }
    connection.execute(_PACKS.insert().values(**row))
    connection.execute(sa.text("UPDATE policy_state SET revision = revision + 1"))
