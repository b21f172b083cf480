"""What a job over a clip is asked for, and by whom; sealed with its row and read when it runs."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from likeness.buckets import Buckets
from likeness.errors import ClipTooLarge, InvalidRequest, NotFound
from likeness.service.redact.asked import Manner, Whom
from likeness.service.search.naming import SIMILARITY
from likeness.service.uses import Caller, Stated, stated_purpose
from likeness.terms import UNDECLARED, Principal
from likeness.video import LOOK_EVERY_S, ClipLimits, Sampling

_READ_AT_ONCE = 1 << 20


class ClipAct(StrEnum):
    """What a job does with a clip."""

    DETECT = "detect-faces"
    SEARCH = "search-people"
    REDACT = "redact-faces"


@dataclass(frozen=True, slots=True)
class BucketClip:
    """A clip that lies in a bucket."""

    bucket: str
    key: str
    version: str | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"s3://{self.bucket}/{self.key}"

    @contextmanager
    def open(
        self,
        buckets: Buckets,
        limits: ClipLimits,
        require_wanted: Callable[[], object] | None = None,
    ) -> Iterator[BinaryIO]:
        """Open the clip; while it is fetched, what `require_wanted` raises ends that.

        Raises:
            NotFound: there is no such object, or it may not be read.
            ClipTooLarge: it has more bytes than may be.
            BucketsUnavailable: the storage fails.
        """
        named = self.bucket, self.key, self.version
        with buckets.open(*named, limits.max_bytes, require_wanted) as file:
            yield file

    def require_within(self, buckets: Buckets, limits: ClipLimits) -> None:
        """Look that the clip is there and not too large, without reading it.

        Raises what `open` raises.
        """
        if buckets.size(self.bucket, self.key, self.version) > limits.max_bytes:
            raise ClipTooLarge(
                f"Too large: a clip may have at most {limits.max_bytes} bytes. Cut it into pieces."
            )


@dataclass(frozen=True, slots=True)
class LocalClip:
    """A clip that somebody at this machine names by its path."""

    path: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return repr(str(self.path))

    @contextmanager
    def open(
        self,
        buckets: Buckets,
        limits: ClipLimits,
        require_wanted: Callable[[], object] | None = None,
    ) -> Iterator[BinaryIO]:
        """Open the clip; raises what `open_here` raises."""
        with self.open_here(limits) as file:
            yield file

    @contextmanager
    def open_here(self, limits: ClipLimits) -> Iterator[BinaryIO]:
        """Open the clip, which no bucket is needed for.

        Raises:
            InvalidRequest: the path leads to no file that can be read.
            ClipTooLarge: it has more bytes than may be.
        """
        with _opened(self.path) as descriptor:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise InvalidRequest(
                    f"{self.name}: Not a file: this is a folder, a device or a pipe. Name a clip."
                )
            if status.st_size > limits.max_bytes:
                raise ClipTooLarge(
                    f"{self.name}: Too large: a clip may have at most {limits.max_bytes} bytes."
                    " Cut it into pieces."
                )
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file


@dataclass(frozen=True, slots=True)
class UploadedClip:
    """A clip that was sent to this server, which its owner calls something."""

    file: Path
    called: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return repr(self.called)

    @contextmanager
    def open(
        self,
        buckets: Buckets,
        limits: ClipLimits,
        require_wanted: Callable[[], object] | None = None,
    ) -> Iterator[BinaryIO]:
        """Open the clip; raises what `open_here` raises."""
        with self.open_here() as file:
            yield file

    def open_here(self) -> BinaryIO:
        """Open the clip, which its caller closes.

        Raises:
            NotFound: it is not kept any more.
        """
        try:
            return self.file.open("rb")
        except OSError as error:
            raise NotFound(
                f"{self.name}: The clip is not kept here any more. Send it again."
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file without waiting; the other end of a pipe may never come."""
    name = repr(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InvalidRequest(f"{name} does not exist. Check the path.") from error
    except OSError as error:
        raise InvalidRequest(
            f"{name} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def clip_sha256(file: BinaryIO, require_wanted: Callable[[], object] = lambda: None) -> str:
    """Digest a clip, in hexadecimal digits; what `require_wanted` raises ends that."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_READ_AT_ONCE):
        digest.update(chunk)
        require_wanted()
    file.seek(0)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Topic:
    """Whom to tell when a job has ended: an SNS topic."""

    arn: str


@dataclass(frozen=True, slots=True)
class Hiding:
    """Whose faces a copy hides, and how."""

    whom: Whom = Whom.ALL
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of a clip.

    Candidates have a similarity of `threshold` at least. `tag` comes back with the results, and
    `topic` is told when they are there. `hiding` is of a copy with hidden faces.
    """

    place: BucketClip | LocalClip | UploadedClip
    sampling: Sampling = Sampling(LOOK_EVERY_S)
    threshold: float = SIMILARITY
    tag: str | None = None
    topic: Topic | None = None
    hiding: Hiding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for and by whom, as it is sealed with a job's row."""

    asked: Asked
    operation: str
    principal: Principal
    stated: Stated

    def to_bytes(self) -> bytes:
        """Write it."""
        return _REQUEST.dump_json(self)

    @classmethod
    def of(cls, caller: Caller, asked: Asked) -> "Request":
        """Take from a caller what has to be known of them later.

        The purpose is kept that is in force now: what was found for one is not given for another
        that the caller is granted by then.
        """
        purpose, _ = stated_purpose(caller.principal, caller.stated.purpose)
        known = None if purpose == UNDECLARED else purpose
        return cls(
            asked=asked,
            operation=caller.operation,
            principal=caller.principal,
            stated=replace(caller.stated, purpose=known),
        )

    def caller(self, operation: str) -> Caller:
        """Give the caller as who the job does its work."""
        return Caller(self.principal, operation, self.stated)


_REQUEST = TypeAdapter(Request)


def read_request(content: bytes) -> Request:
    """Read what `Request.to_bytes` wrote."""
    return _REQUEST.validate_json(content)
