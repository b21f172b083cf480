"""Make the tables of review and standing searches."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make them."""
