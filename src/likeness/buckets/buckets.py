"""What every storage of buckets promises."""

from typing import Protocol

from likeness.errors import ImageTooLarge, NotFound


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
    """Say that an object is larger than it may be."""
    return ImageTooLarge(
        f"Too large: an object may have at most {max_bytes} bytes. Give a smaller picture."
    )
