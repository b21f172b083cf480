"""Streams of bytes, sealed in numbered chunks for whoever knows a passphrase.

The key is made of the passphrase and a random salt by scrypt (RFC 7914), which takes 128 MiB and
part of a second for every guess. Each chunk is sealed by AES-256-GCM with its number, and a mark on
the last, for a nonce (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015): what is changed, moved,
left out, put in or cut off does not open. A key seals one stream, so no nonce comes twice.

A stream reads: `SEALED_MAGIC`, version (1 byte), salt (16), then the chunks, all but the last of
one size.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from likeness.errors import InvalidRequest
from likeness.secrets.keys import KEY_BYTES

SEALED_MAGIC = b"likeness sealed\n"
_SHORTEST_PASSPHRASE = 12
_VERSION = b"\x01"
_SALT_BYTES = 16
_CHUNK_BYTES = 64 << 10
_TAG_BYTES = 16
_SCRYPT_COST = 1 << 17
_DAMAGED = "The sealed file is damaged or cut off. Fetch it again."
_DOES_NOT_OPEN = (
    "The passphrase does not open the file, or the file is damaged. Try the passphrase again, or"
    " fetch the file again."
)


def sealed_stream(pieces: Iterable[bytes], passphrase: str) -> Iterator[bytes]:
    """Seal pieces of any length; what is given is to be written one after the other.

    Raises:
        InvalidRequest: the passphrase is too short to keep anything.
    """
    if len(passphrase) < _SHORTEST_PASSPHRASE:
        raise InvalidRequest(
            f"The passphrase has {len(passphrase)} characters, and {_SHORTEST_PASSPHRASE} are the"
            " least. Choose several words that nobody guesses."
        )
    header = SEALED_MAGIC + _VERSION + os.urandom(_SALT_BYTES)
    key = _key(passphrase, header)
    yield header
    buffer, number = bytearray(), 0
    for piece in pieces:
        buffer += piece
        while len(buffer) > _CHUNK_BYTES:  # the last chunk is known by that nothing follows
            yield key.encrypt(_nonce(number, last=False), bytes(buffer[:_CHUNK_BYTES]), header)
            del buffer[:_CHUNK_BYTES]
            number += 1
    yield key.encrypt(_nonce(number, last=True), bytes(buffer), header)


def opened_stream(file: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """Give what was sealed, from a file whose `SEALED_MAGIC` has been read; each piece is genuine.

    Raises:
        InvalidRequest: the passphrase is wrong, or the stream is damaged, cut off or of another
            version.
        OSError: the file cannot be read.
    """
    rest = file.read(len(_VERSION) + _SALT_BYTES)
    if rest[:1] != _VERSION and rest:
        raise InvalidRequest(
            f"The sealed file is of version {rest[0]}, and {_VERSION[0]} can be read. Use the"
            " Likeness that wrote it, or a newer one."
        )
    if len(rest) < len(_VERSION) + _SALT_BYTES:
        raise InvalidRequest(_DAMAGED)
    header = SEALED_MAGIC + rest
    key = _key(passphrase, header)
    number, chunk = 0, file.read(_CHUNK_BYTES + _TAG_BYTES)
    while True:
        following = file.read(_CHUNK_BYTES + _TAG_BYTES)
        try:
            yield key.decrypt(_nonce(number, last=not following), chunk, header)
        except (InvalidTag, ValueError) as error:
            raise InvalidRequest(_DAMAGED if number else _DOES_NOT_OPEN) from error
        if not following:
            return
        number, chunk = number + 1, following


def _key(passphrase: str, header: bytes) -> AESGCM:
    # Two keyboards may compose one letter in two ways.
    secret = unicodedata.normalize("NFC", passphrase).encode(errors="surrogateescape")
    salt = header[-_SALT_BYTES:]
    return AESGCM(Scrypt(salt, KEY_BYTES, n=_SCRYPT_COST, r=8, p=1).derive(secret))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
