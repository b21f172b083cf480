"""A home for one command alone; where another process has it, what to do about that."""

from likeness.app import Installation
from likeness.app.home import Home
from likeness.errors import HomeInUse


def home_alone(settled: Installation, beside_server: str | None = None) -> Home:
    """Open the home; `beside_server` says what else than this command does the same while one runs.

    Raises what `Home` raises.
    """
    try:
        return Home(settled)
    except HomeInUse as error:
        if beside_server is None:
            raise
        raise HomeInUse(f"{error}, or {beside_server}") from error
