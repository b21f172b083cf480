"""Small files that a command reads whole."""

from pathlib import Path

from likeness.errors import InvalidRequest

_LARGEST_BYTES = 1_000_000


def read_bytes(path: Path, largest: int, remedy: str) -> bytes:
    """Read a file whole; `remedy` says what to give where that cannot be done.

    Raises:
        InvalidRequest: it cannot be read, or has more than `largest` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}). {remedy}") from error
    if len(content) > largest:
        raise InvalidRequest(f"'{path}' has more than {largest:,} bytes. {remedy}")
    return content


def read_text(path: Path, remedy: str) -> str:
    """Read a text file whole; `remedy` says what to give where it is none.

    Raises:
        InvalidRequest: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise ValueError("too large")
        return content.decode()
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}). {remedy}") from error
    except ValueError as error:
        raise InvalidRequest(
            f"'{path}' is not text (UTF-8) of at most {_LARGEST_BYTES:,} bytes. {remedy}"
        ) from error
