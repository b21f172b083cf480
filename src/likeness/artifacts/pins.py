"""Pins: files by size and SHA-256, and where they may come from."""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from likeness.errors import InvalidRequest

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """One published file of one release on a package index.

    `filename` says what it is: `.whl` a wheel, anything else a source distribution, and for a
    wheel of compiled code its platform, whatever platform we run on. `size` is in bytes.
    """

    name: str
    version: str
    filename: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse a pin that pins nothing."""
        _require_plain_name(self.filename)
        require_digest(self.filename, self.size, self.sha256)

    def __str__(self) -> str:
        """Name and version, as people say it."""
        return f"{self.name} {self.version}"

    @property
    def is_wheel(self) -> bool:
        """Whether this is a wheel; else it is a source distribution."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True)
class PackageMember:
    """One file inside a package, by its name there."""

    package: PinnedPackage
    member: str


@dataclass(frozen=True, slots=True)
class Address:
    """An https address that holds the file itself.

    With `needs_permission` only those go there whom `Sources.publisher` lets: a default model must
    not make every machine call its publisher.
    """

    url: str
    needs_permission: bool = False

    def __post_init__(self) -> None:
        """Refuse what is not https: others could read what is fetched."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise InvalidRequest(f"Not an https:// address: {self.url!r}. Give one.")

    @property
    def host(self) -> str:
        """The name of the machine that answers there."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that is only ever used with exactly these bytes.

    `name` is what it is called in the cache; `size` is in bytes; `sha256` is lower-case
    hexadecimal; `licence` is that of the bytes themselves; `attribution` says who made them.
    """

    name: str
    size: int
    sha256: str
    source: PackageMember | Address
    licence: str
    attribution: str

    def __post_init__(self) -> None:
        """Refuse a pin that pins nothing, or whose name would leave the cache."""
        _require_plain_name(self.name)
        require_digest(self.name, self.size, self.sha256)


class Publisher(Enum):
    """Whether files that their publisher alone has may be fetched from there.

    `NEVER` is for servers and libraries, `UNLESS_IT_FAILED` for commands that say so (a failed try
    is remembered for a day), `ALWAYS` for who asks for just that.
    """

    NEVER = "never"
    UNLESS_IT_FAILED = "unless it failed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where files are looked for: in `folder` under their own names, then in `cache`.

    What neither has is fetched into `cache`, from where its pin says.
    """

    cache: Path
    folder: Path | None = None
    publisher: Publisher = Publisher.NEVER


def _require_plain_name(name: str) -> None:
    if not _PLAIN_NAME.fullmatch(name):
        raise InvalidRequest(
            f"Not a plain file name: {name!r}. Give one of letters, digits, dots, dashes and"
            " underscores."
        )


def require_digest(name: str, size: int, sha256: str) -> None:
    """Refuse what pins no bytes.

    Raises:
        InvalidRequest: it has no size, or no SHA-256.
    """
    if size < 1 or not _SHA256.fullmatch(sha256):
        raise InvalidRequest(
            f"Not pinned: {name} has a size of {size} and SHA-256 {sha256!r}. Give its size in"
            " bytes and 64 lower-case hexadecimal digits."
        )
