"""Signing keys, Ed25519 (RFC 8032): they vouch for what leaves."""

from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from likeness.errors import InvalidRequest, KeyUnusable
from likeness.secrets.keyring import Keyring


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What checks signatures, for anybody to have: 32 bytes."""

    raw: bytes

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read what `pem` wrote.

        Raises:
            InvalidRequest: it is no Ed25519 public key.
        """
        try:
            key = load_pem_public_key(pem.encode())
        except ValueError as error:
            raise InvalidRequest("Not a public key in PEM. Export it again.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidRequest("Not an Ed25519 public key. Export it again.")
        return cls(key.public_bytes_raw())

    @property
    def pem(self) -> str:
        """The key as SubjectPublicKeyInfo in PEM, as other programs read it."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is this key's for exactly this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class SigningKey:
    """What signs; kept as `sealed` gives it."""

    __slots__ = ("_key",)

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> Self:
        """Make a random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def unsealed(cls, sealed: bytes, keyring: Keyring, context: bytes) -> Self:
        """Give back a key that was sealed in this context.

        Raises:
            KeyUnusable: as for `Keyring.unseal`, or it is no signing key.
        """
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(keyring.unseal(sealed, context)))
        except ValueError as error:
            raise KeyUnusable(
                "What was sealed is not a signing key. Restore it from a backup."
            ) from error

    def sealed(self, keyring: Keyring, context: bytes) -> bytes:
        """Give what to keep; `Keyring.rewrap` renews it in the same context."""
        return keyring.seal(self._key.private_bytes_raw(), context)

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half."""
        return VerifyingKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Give 64 bytes, always the same for one message."""
        return self._key.sign(message)
