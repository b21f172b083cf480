"""Who vouches for a new signing key? The former one, by a signature in the entry that states it."""

import base64

from likeness.errors import InvalidRequest
from likeness.ledger.note import decoded
from likeness.secrets import SigningKey, VerifyingKey


def endorse(former: SigningKey, origin: str, public_key: bytes) -> str:
    """Sign a new key of a ledger with the former one."""
    return base64.b64encode(former.sign(_statement(origin, public_key))).decode()


def is_endorsed(former: VerifyingKey, origin: str, public_key: bytes, endorsement: str) -> bool:
    """Say whether the former key vouches for a new one."""
    try:
        signature = decoded(endorsement)
    except InvalidRequest:
        return False
    return former.verifies(_statement(origin, public_key), signature)


def _statement(origin: str, public_key: bytes) -> bytes:
    return f"likeness ledger key\n{origin}\n{public_key.hex()}\n".encode()
