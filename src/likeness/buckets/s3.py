"""Buckets of any endpoint that speaks S3's protocol, asked by AWS's own client.

Answers are bounded from the first byte to the last, in time and in length. An object that is too
large for memory goes into a file that has no name: it is gone with its last descriptor, also where
the process is killed.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Set
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from botocore.config import Config
from botocore.exceptions import ClientError

from likeness.bounded_answers import NO_ANSWER, answers_within, bounded_client
from likeness.buckets.buckets import (
    check_bucket,
    check_key,
    clip_too_large,
    nothing_there,
    too_large,
)
from likeness.errors import BucketsUnavailable

_CONNECT_S = 5.0
_SILENCE_S = 15.0
_WHOLE_S = 30.0
# Heads, and what errors say, of all attempts.
_AROUND_BYTES = 1 << 20
# A page of a list: a thousand keys of a thousand bytes each, escaped, and what is around them.
_PAGE_BYTES = 16 << 20
# What a clip is read at, at least: the rate of a rather bad one, so that it comes as fast as it
# could be watched.
_SLOWEST_BYTES_S = 128 << 10
_PIECE_BYTES = 1 << 20
_ATTEMPTS = 3
_CONNECTIONS = 32
# What S3 answers where there is nothing to read for us; a version that is none is an argument.
_NOTHING_THERE = {
    "404",
    "AccessDenied",
    "InvalidArgument",
    "InvalidObjectState",
    "MethodNotAllowed",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchVersion",
}
# The answer to a HEAD says no more than its status: a version that is none, none that may be read
# (or a wrong access key), a mark of deletion.
_NOTHING_THERE_BY_STATUS = {"400", "403", "404", "405"}


class S3Buckets:
    """Reads objects at `endpoint`, an http or https address, with one access key.

    Objects that are opened lie in the folder `work` meanwhile, which is made when it is needed.

    Raises:
        InvalidRequest: the address is none, or the access key is not whole.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        access_key_id: str,
        secret_access_key: str,
        work: Path,
    ) -> None:
        self._client = bounded_client(
            "s3",
            endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=_CONNECT_S,
                read_timeout=_SILENCE_S,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_CONNECTIONS,
            ),
        )
        self._endpoint = endpoint
        self._work = work
        self._client.meta.events.register("before-parameter-build.s3", _follow_no_redirect)

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Get an object; see `Buckets`."""
        named = _named(bucket, key, version)
        with self._faults(), answers_within(_WHOLE_S, _SILENCE_S, max_bytes + _AROUND_BYTES):
            answer = self._client.get_object(**named)
            with closing(answer["Body"]) as body:
                if answer.get("ContentLength", 0) > max_bytes:
                    raise too_large(max_bytes)
                return _read(body, max_bytes)

    def size(self, bucket: str, key: str, version: str | None) -> int:
        """Ask for an object's head; see `Buckets`."""
        named = _named(bucket, key, version)
        with (
            self._faults(_NOTHING_THERE_BY_STATUS),
            answers_within(_WHOLE_S, _SILENCE_S, _AROUND_BYTES),
        ):
            return int(self._client.head_object(**named).get("ContentLength", 0))

    def open(
        self,
        bucket: str,
        key: str,
        version: str | None,
        max_bytes: int,
        require_wanted: Callable[[], object] | None = None,
    ) -> BinaryIO:
        """Get an object into a file without a name; see `Buckets`."""
        named = _named(bucket, key, version)
        with (
            self._faults(),
            answers_within(_WHOLE_S, _SILENCE_S, max_bytes + _AROUND_BYTES, _SLOWEST_BYTES_S),
        ):
            answer = self._client.get_object(**named)
            with closing(answer["Body"]) as body:
                size_bytes = answer.get("ContentLength", 0)
                if size_bytes > max_bytes:
                    raise clip_too_large(max_bytes)
                file = self._unnamed_file(size_bytes)
                try:
                    self._copy(body, file, max_bytes, require_wanted or _wanted)
                except BaseException:
                    with suppress(OSError):  # it has no room for what was not written yet
                        file.close()
                    raise
                return file

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List objects, a page at a time; see `Buckets`."""
        page = {"Bucket": check_bucket(bucket), "Prefix": prefix}
        found: list[str] = []
        while True:
            with self._faults(), answers_within(_WHOLE_S, _SILENCE_S, _PAGE_BYTES):
                answer = self._client.list_objects_v2(**page)
            found += [one["Key"] for one in answer.get("Contents", ()) if not _marks_a_folder(one)]
            if not answer.get("IsTruncated"):
                return sorted(found)
            page["ContinuationToken"] = answer["NextContinuationToken"]

    def _unnamed_file(self, size_bytes: int) -> BinaryIO:
        """Make a file in the work folder, where that has room."""
        with self._room():
            self._work.mkdir(mode=0o700, parents=True, exist_ok=True)
            disk = os.statvfs(self._work)
            if disk.f_bavail * disk.f_frsize < size_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return tempfile.TemporaryFile(dir=self._work)  # whoever opened the object closes it

    def _copy(
        self, body: Any, file: BinaryIO, max_bytes: int, require_wanted: Callable[[], object]
    ) -> None:
        """Copy to the end, which is where the client notices that an answer was cut off."""
        left_bytes = max_bytes
        while piece := body.read(min(_PIECE_BYTES, left_bytes + 1)):
            left_bytes -= len(piece)
            if left_bytes < 0:
                raise clip_too_large(max_bytes)
            with self._room():
                file.write(piece)
            require_wanted()
        with self._room():
            file.seek(0)  # what was written last goes out before

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BucketsUnavailable(
                f"A clip cannot be written to {self._work} while it is read ({error.strerror})."
                " Make room there, or move LIKENESS_HOME to where there is some."
            ) from error

    @contextmanager
    def _faults(self, nothing_there_at: Set[str] = _NOTHING_THERE) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in nothing_there_at:
                raise nothing_there() from error
            raise self._unavailable(f"{code!r:.60}") from error
        except NO_ANSWER as error:
            raise self._unavailable(type(error).__name__) from error

    def _unavailable(self, reason: str) -> BucketsUnavailable:
        return BucketsUnavailable(
            f"The S3 endpoint {self._endpoint} fails ({reason}). Check it, LIKENESS_S3_ENDPOINT and"
            " the access key."
        )


def _wanted() -> None:
    """Let a fetch go on."""


def _named(bucket: str, key: str, version: str | None) -> dict[str, str]:
    """Name an object as the client does."""
    named = {"Bucket": check_bucket(bucket), "Key": check_key(key)}
    return named if version is None else {**named, "VersionId": version}


def _marks_a_folder(listed: dict[str, Any]) -> bool:
    """Say whether an object is what S3's console makes of a folder."""
    return listed["Key"].endswith("/") and not listed.get("Size")


def _follow_no_redirect(context: dict[str, Any], **_: object) -> None:
    """Count a request as redirected already: an endpoint is asked, and no other.

    Left to itself the client asks a bucket's head for another region, and for the region of that
    answer where it is a redirect too, for ever.
    """
    context["s3_redirect"]["redirected"] = True


def _read(body: Any, max_bytes: int) -> bytes:
    """Read to the end, which is where the client notices that an answer was cut off."""
    content = bytearray()
    while chunk := body.read(max_bytes + 1 - len(content)):
        content += chunk
        if len(content) > max_bytes:
            raise too_large(max_bytes)
    return bytes(content)
