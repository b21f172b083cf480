"""x."""


def calibrate() -> None:
    """X."""
