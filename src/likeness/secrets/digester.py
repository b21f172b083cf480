"""How are duplicates found without keeping a plain hash? By a digest that takes a key to compute.

HMAC-SHA-256 (RFC 2104) under a key derived for one purpose: whoever reads the rows alone can
neither test whether a picture is among them, nor join them with another collection's.
"""

import hmac

from likeness.secrets.wrapping import Key


class Digester:
    """Digests for one purpose under one key; the same ones as long as the key lives."""

    __slots__ = ("_key",)

    def __init__(self, key: Key, purpose: str) -> None:
        self._key = key.derive(f"digest {purpose}")

    def digest(self, content: bytes | memoryview) -> bytes:
        """Give 32 bytes that tell equal contents from different ones."""
        return hmac.digest(self._key, content, "sha256")
