"""Make the tables of the ledger."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make them."""
