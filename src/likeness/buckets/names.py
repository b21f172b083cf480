"""What buckets and objects may be called, the same wherever they lie.

Names that S3 permits and a folder cannot have are refused for both, so that a program runs with
either; and what a path could be made of is refused before any storage sees it.
"""

import re
import unicodedata

from likeness.errors import InvalidRequest

# Rekognition's pattern; with a letter or digit first, hidden folders are none.
_BUCKET = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{2,254}")
_LONGEST_KEY_BYTES = 1024
# Control characters and halves of a character.
_FORBIDDEN = {"Cc", "Cs"}


def check_bucket(bucket: str) -> str:
    """Give the name of a bucket.

    Raises:
        InvalidRequest: it is none.
    """
    if not _BUCKET.fullmatch(bucket):
        raise InvalidRequest(
            "Not a bucket's name. Give 3 to 255 letters, digits, dots, hyphens and underscores, a"
            " letter or digit first."
        )
    return bucket


def is_key(key: str) -> bool:
    """Say whether a key is one that can be read; what S3 marks folders with is none."""
    try:
        key_parts(key)
    except InvalidRequest:
        return False
    return True


def key_parts(key: str) -> list[str]:
    """Split an object's key at its slashes; each part can be the name of a folder or a file.

    Raises:
        InvalidRequest: it is no key, or one that leads somewhere else.
    """
    parts = key.split("/")
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\\" in key
        or any(unicodedata.category(character) in _FORBIDDEN for character in key)
        or len(key.encode()) > _LONGEST_KEY_BYTES
    ):
        raise InvalidRequest(
            f"Not an object's key. Give at most {_LONGEST_KEY_BYTES} bytes, names with single"
            " slashes between, without '.', '..', backslashes and control characters."
        )
    return parts
