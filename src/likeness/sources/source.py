"""A source: a camera, a stream or a file that an admin registered under a name."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from likeness.errors import InvalidRequest

MOST_SOURCES = 1000
"""So many may be registered."""

_A_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)


class SourceKind(StrEnum):
    """What a source's frames come from."""

    STREAM = "stream"
    """An address on a network."""
    FILE = "file"
    """A video on the server, shown at its own pace."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it may be shown: `shown` is its address without user and password, or its path.

    `footage` is what sort of source it is, for rules, and `place` where it looks, in words of
    whoever registered it. `added_by` is a principal's id.
    """

    id: UUID
    name: str
    kind: SourceKind
    shown: str
    footage: str
    place: str | None
    added_at: datetime
    added_by: str


def checked_source_name(name: str) -> str:
    """Give a source's name as it came: names of streams of AWS fit, too.

    Raises:
        InvalidRequest: it holds something else than letters, digits, `_`, `.` and `-`, or has
            none or more than 128 of them.
    """
    if not _A_NAME.fullmatch(name):
        raise InvalidRequest(
            "A source's name has 1 to 128 letters, digits, underscores, full stops or hyphens, and"
            " this one is another. Choose a name such as north-gate."
        )
    return name
