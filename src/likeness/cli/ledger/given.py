"""What somebody kept of a ledger: files of receipts, checkpoints and public keys."""

from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.ledger import (
    Growth,
    Receipt,
    SignedCheckpoint,
    read_checkpoint,
    read_growth,
    read_receipt,
)
from likeness.secrets import VerifyingKey

_LARGEST_BYTES = 1_000_000


def given_proof(path: Path) -> Receipt | Growth:
    """Read a receipt, or a proof of growth.

    Raises:
        InvalidRequest: the file cannot be read, or holds neither.
    """
    text = _text(path)
    return read_growth(text) if '"likeness_growth"' in text[:100] else read_receipt(text)


def given_checkpoint(path: Path) -> SignedCheckpoint:
    """Read a checkpoint, or the one in a receipt.

    Raises:
        InvalidRequest: the file cannot be read, or holds neither.
    """
    return read_checkpoint(given_note(path))


def given_note(path: Path) -> str:
    """Read a signed checkpoint as it was written, or the one in a receipt.

    Raises:
        InvalidRequest: the file cannot be read, or holds no receipt.
    """
    text = _text(path)
    return read_receipt(text).checkpoint if text.startswith("{") else text


def given_key(path: Path) -> VerifyingKey:
    """Read a public key in PEM.

    Raises:
        InvalidRequest: the file cannot be read, or holds none.
    """
    return VerifyingKey.from_pem(_text(path))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise ValueError("too large")
        return content.decode()
    except OSError as error:
        raise InvalidRequest(
            f"'{path}' was expected to be readable and is not ({error.strerror}): mend that"
        ) from error
    except ValueError as error:
        raise InvalidRequest(
            f"text of at most {_LARGEST_BYTES:,} bytes was expected and '{path}' holds something"
            " else: name a receipt, a checkpoint or a key"
        ) from error
