"""Keys: one seals and unseals, a keyring holds the installation's, a signing key vouches.

**Sealing** is AES-256-GCM under one key, bound to where something belongs (NIST SP 800-38D). What
is sealed reads: version (1 byte), id of the key (8), nonce (12), ciphertext, tag (16). Version, id
and the context that the caller names are authenticated with it, so that it opens nowhere else.

Nonces are drawn at random, which SP 800-38D permits for 2^32 messages under one key. A collection
of 20 million templates, sealed anew a hundred times, stays under half of that; two nonces meet
then with a chance of 2^-35.

**Rotation** is three steps, each of which may be interrupted and done again: `rotate` makes a newer
key, whoever keeps sealed things replaces each by its `rewrap`, and `retire` destroys the old key.

Other programs share the keys. So that none seals with a key that another retires, call `seal` and
`new_data_key` inside the act that stores what they give, and `retire` inside the act that found
nothing left to rewrap: the database lets one act write at a time.

**Signing** is Ed25519 (RFC 8032).
"""

import hmac
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from likeness.errors import Conflict, InvalidRequest, KeyUnusable

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


def count_by_key(sealed: Iterable[object]) -> Counter[str]:
    """Count what is sealed by the ids of the keys that sealed it; what is damaged counts not."""
    counted: Counter[str] = Counter()
    for one in sealed:
        with suppress(KeyUnusable, TypeError):
            counted[key_id_of(bytes(memoryview(one)))] += 1  # type: ignore[arg-type]  # or raises
    return counted


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


class KeySource(Protocol):
    """Where keys come from, newest first."""

    def load(self) -> tuple[Key, ...]:
        """Read every key, newest first; none where `add` has to make the first.

        Raises:
            KeyUnusable: they cannot be had, or are not kept secret.
        """

    def add(self, after: Key | None) -> None:
        """Make a key that is newer than `after`, or the first, unless somebody just did.

        Raises:
            Conflict: keys are made elsewhere.
            KeyUnusable: it cannot be kept.
        """

    def remove(self, key_id: str) -> None:
        """Destroy a key.

        Raises:
            Conflict: keys are destroyed elsewhere.
            KeyUnusable: it cannot be destroyed.
        """


class Keyring:
    """The installation's keys, from a source, made there at the first start: the newest one seals.

    Safe to use from many threads. `context` says what is sealed and where it belongs, as for
    `Key.seal`, such as `b"key of collection " + id`.
    """

    def __init__(self, source: KeySource) -> None:
        """Load the keys.

        Raises:
            KeyUnusable: they cannot be had, or are not kept secret.
        """
        self._source = source
        if not source.load():
            source.add(None)
        self._keys = self._loaded()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, newest first."""
        return tuple(key.id for key in self._keys)

    def seal(self, secret: bytes, context: bytes) -> bytes:
        """Seal something small, such as another key, with the newest key.

        Raises:
            KeyUnusable: the keys cannot be had any more.
        """
        self._keys = self._loaded()  # another program may have rotated
        return self._keys[0].seal(secret, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Give back what was sealed in this context.

        Raises:
            KeyUnusable: the key is gone, or what came is damaged or belongs elsewhere.
        """
        return self._key(key_id_of(sealed)).unseal(sealed, context)

    def new_data_key(self, context: bytes) -> tuple[Key, bytes]:
        """Make a key, such as a collection's, and what to keep of it: itself, sealed.

        Whoever deletes what is kept destroys all that the key sealed.
        """
        material = os.urandom(KEY_BYTES)
        return Key(material), self.seal(material, context)

    def open_data_key(self, sealed: bytes, context: bytes) -> Key:
        """Give back a key that `new_data_key` made.

        Raises:
            KeyUnusable: the installation's key is gone, or what came is damaged or another's.
        """
        return Key(self.unseal(sealed, context))

    def rewrap(self, sealed: bytes, context: bytes) -> bytes:
        """Seal anew with the newest key; what it has sealed already is given back as it is.

        Raises:
            KeyUnusable: as for `unseal`.
        """
        if key_id_of(sealed) == self._keys[0].id:
            return sealed
        return self.seal(self.unseal(sealed, context), context)

    def rotate(self) -> str:
        """Make a newer key and seal with it from now on; the id of the newest is returned.

        Raises:
            Conflict: the keys are made elsewhere.
        """
        self._source.add(self._keys[0])
        self._keys = self._loaded()
        return self._keys[0].id

    def retire(self, key_id: str) -> None:
        """Destroy an older key; nothing may be left that it sealed.

        Raises:
            Conflict: it is the newest, or keys are destroyed elsewhere.
            NotFound: there is none of that id.
        """
        self._keys = self._loaded()
        if key_id == self._keys[0].id:
            raise Conflict(
                f"Key {key_id} is the one that seals, and cannot be destroyed. Rotate first."
            )
        self._source.remove(key_id)
        self._keys = self._loaded()

    def _key(self, key_id: str) -> Key:
        if key_id not in self.key_ids:
            self._keys = self._loaded()  # another program may have rotated
        for key in self._keys:
            if key.id == key_id:
                return key
        raise KeyUnusable(
            f"Key {key_id} is gone, and something sealed by it cannot be opened. Restore that key"
            f" from a backup; there are only {', '.join(self.key_ids)}."
        )

    def _loaded(self) -> tuple[Key, ...]:
        keys = self._source.load()
        if not keys:
            raise KeyUnusable("The keys of this installation are gone. Restore them from a backup.")
        return keys


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

    __slots__ = ("_key", "sign")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.sign = key.sign
        """Gives 64 bytes for a message, always the same."""

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
