"""Sealing with AES-256-GCM under one key, bound to where something belongs.

NIST SP 800-38D. What is sealed reads: version (1 byte), id of the key (8), nonce (12), ciphertext,
tag (16). Version, id and the context that the caller names are authenticated with it, so that it
opens nowhere else.

Nonces are drawn at random, which SP 800-38D permits for 2^32 messages under one key. A collection
of 20 million templates, sealed anew a hundred times, stays under half of that; two nonces meet
then with a chance of 2^-35.
"""

import hmac
import os
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from likeness.errors import KeyUnusable

KEY_BYTES = 32
_VERSION = b"\x01"
_ID_BYTES = 8
_HEADER_BYTES = len(_VERSION) + _ID_BYTES
_NONCE_BYTES = 12
_BODY = _HEADER_BYTES + _NONCE_BYTES
OVERHEAD_BYTES = _BODY + 16


class Key:
    """32 secret bytes that seal and unseal; `id` names it and gives nothing away.

    Fast for many small things; make it once and keep it. Python cannot promise that the bytes are
    gone from memory once a key is let go. Safe to use from many threads.
    """

    __slots__ = ("_aead", "_header", "_material", "id")

    def __init__(self, material: bytes) -> None:
        """Take 32 random bytes."""
        if len(material) != KEY_BYTES:
            raise KeyUnusable(
                f"The key has {len(material)} bytes, not {KEY_BYTES}. Make one with `openssl rand"
                " -base64 32`."
            )
        self._material = material
        self._aead = AESGCM(material)
        identifier = _expanded(material, b"id")[:_ID_BYTES]
        self._header = _VERSION + identifier
        self.id = identifier.hex()

    def seal(self, plaintext: bytes | memoryview, context: bytes) -> bytes:
        """Encrypt and authenticate up to 2^31 - 1 bytes; `OVERHEAD_BYTES` longer than they are.

        `context` says where it belongs, such as the ids of collection and reference, and has to be
        unambiguous: parts of fixed length, or separated.
        """
        nonce = os.urandom(_NONCE_BYTES)
        header = self._header
        return header + nonce + self._aead.encrypt(nonce, plaintext, header + context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Give back what was sealed by this key in this context.

        Raises:
            KeyUnusable: it was sealed by another key, elsewhere, or is damaged.
        """
        header = self._header
        if sealed[:_HEADER_BYTES] != header:
            raise KeyUnusable(
                f"Sealed by key {key_id_of(sealed)}, not by {self.id}: it is the wrong key, or"
                " damaged. Restore the right one."
            )
        try:
            return self._aead.decrypt(sealed[_HEADER_BYTES:_BODY], sealed[_BODY:], header + context)
        except (InvalidTag, ValueError) as error:
            raise KeyUnusable(
                f"Something sealed by key {self.id} is damaged, or belongs elsewhere. Restore it"
                " from a backup."
            ) from error

    def derive(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose that tell nothing of the key (HKDF-Expand, RFC 5869)."""
        return _expanded(self._material, b"purpose " + purpose.encode())

    def __repr__(self) -> str:
        """Show the id alone."""
        return f"Key({self.id})"

    def __reduce__(self) -> NoReturn:
        """Stay in this process: what is pickled is sent or kept in the clear."""
        raise TypeError("a key cannot be pickled")


def _expanded(material: bytes, info: bytes) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, info).derive(material)


def key_id_of(sealed: bytes) -> str:
    """Say which key sealed something.

    Raises:
        KeyUnusable: it was never sealed.
    """
    if sealed[:1] != _VERSION or len(sealed) < OVERHEAD_BYTES:
        raise KeyUnusable(
            f"Nothing sealed of version {_VERSION[0]}: {len(sealed)} bytes of version"
            f" {sealed[0] if sealed else 'none'}. Restore it from a backup, or run the newer"
            " Likeness that wrote it."
        )
    return sealed[1:_HEADER_BYTES].hex()


class Digester:
    """Digests for one purpose under one key; the same ones as long as the key lives.

    HMAC-SHA-256 (RFC 2104) under a key derived for the purpose: whoever reads the rows alone can
    neither test whether a picture is among them, nor join them with another collection's.
    """

    __slots__ = ("_key",)

    def __init__(self, key: Key, purpose: str) -> None:
        self._key = key.derive(f"digest {purpose}")

    def digest(self, content: bytes | memoryview) -> bytes:
        """Give 32 bytes that tell equal contents from different ones."""
        return hmac.digest(self._key, content, "sha256")
