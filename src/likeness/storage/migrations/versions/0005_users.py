"""What Rekognition's users add to the gallery."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make them."""
