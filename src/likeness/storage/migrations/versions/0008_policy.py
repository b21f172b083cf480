"""Make the tables of policy."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make them."""
