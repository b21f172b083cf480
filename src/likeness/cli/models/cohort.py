"""`likeness models cohort`: a cohort made from pictures of many different people."""


def cohort() -> None:
    """Make a cohort."""
