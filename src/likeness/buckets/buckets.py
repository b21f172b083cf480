"""What every storage of buckets promises, and what buckets and objects may be called in any."""

import re
from collections.abc import Callable
from typing import BinaryIO, Protocol

from likeness.errors import ClipTooLarge, ImageTooLarge, InvalidRequest, NotFound


class Buckets(Protocol):
    """Buckets of objects, to be read; safe to use from many threads."""

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Read one object whole, the latest where no version is named.

        Whatever came from a caller may be given as it is.

        Raises:
            NotFound: there is no such bucket, object or version, or it may not be read.
            InvalidRequest: the names cannot be those of a bucket and an object.
            ImageTooLarge: it has more than `max_bytes`, which are not read then.
            BucketsUnavailable: the storage fails or cannot be reached.
        """

    def size(self, bucket: str, key: str, version: str | None) -> int:
        """Say how many bytes an object has, without reading it.

        Raises what `read` raises, but for ImageTooLarge.
        """

    def open(
        self,
        bucket: str,
        key: str,
        version: str | None,
        max_bytes: int,
        require_wanted: Callable[[], object] | None = None,
    ) -> BinaryIO:
        """Open an object that is too large for memory, such as a clip; the caller closes it.

        While it is fetched, which may take long, `require_wanted` is called again and again; what
        it raises ends that.

        It is a file of this machine at its beginning, which may be sought in and whose descriptor
        another process may read. An object of a folder is that file itself, and may grow or change
        while it is read.

        Raises:
            ClipTooLarge: it has more than `max_bytes`.
            NotFound, InvalidRequest, BucketsUnavailable: as `read` does.
        """

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List the keys of a bucket that start with a prefix, sorted; those that `read` can take.

        Raises:
            NotFound: there is no such bucket, or it may not be listed.
            InvalidRequest: the name cannot be that of a bucket.
            BucketsUnavailable: the storage fails or cannot be reached.
        """


def nothing_there() -> NotFound:
    """Say that there is nothing to read; who asks learns no more than that."""
    return NotFound(
        "No such bucket or object, or it may not be read. Check bucket, object, version and"
        " permissions."
    )


def too_large(max_bytes: int) -> ImageTooLarge:
    """Say that a picture is larger than it may be."""
    return ImageTooLarge(
        f"Too large: an object may have at most {max_bytes} bytes. Give a smaller picture."
    )


def clip_too_large(max_bytes: int) -> ClipTooLarge:
    """Say that a clip is larger than it may be."""
    return ClipTooLarge(
        f"Too large: a clip may have at most {max_bytes} bytes. Give a smaller one, or a part of"
        " it."
    )


# Rekognition's pattern; with a letter or digit first, hidden folders are none.
_BUCKET = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{2,254}")
LONGEST_KEY_BYTES = 1024
"""How long a key may be, in UTF-8."""


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


def check_key(key: str) -> str:
    """Give an object's key: whatever S3 takes for one.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        bytes_long = len(key.encode())
    except UnicodeEncodeError:  # half a character
        bytes_long = 0
    if not 0 < bytes_long <= LONGEST_KEY_BYTES:
        raise InvalidRequest(
            f"Not an object's key. Give 1 to {LONGEST_KEY_BYTES} bytes of UTF-8 text."
        )
    return key
