"""What somebody kept of a ledger: files of receipts, checkpoints and public keys."""

from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.ledger.checkpoint import SignedCheckpoint, read_checkpoint
from likeness.ledger.receipt import Receipt, read_receipt
from likeness.secrets import VerifyingKey

_LARGEST_BYTES = 1_000_000


def given_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        InvalidRequest: the file cannot be read, or holds none.
    """
    return read_receipt(_text(path))


def given_checkpoint(path: Path) -> SignedCheckpoint:
    """Read a checkpoint, or the one in a receipt.

    Raises:
        InvalidRequest: the file cannot be read, or holds neither.
    """
    text = _text(path)
    if text.startswith("{"):
        text = read_receipt(text).checkpoint
    return read_checkpoint(text)


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
