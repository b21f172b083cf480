"""x."""


def cohort() -> None:
    """X."""
