"""The form of an export of a collection: lines of JSON, one thing each.

First what the collection is, then its cohort in parts, its subjects, its references, each as many
as the first line says, and last the SHA-256 of all lines before. docs/moving.md has the fields.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, TypeAdapter

from likeness.gallery import MOST_TAGS
from likeness.terms import Calibration, Face

VERSION: Literal[2] = 2
_VERSIONS = Literal[1, 2]
READABLE = (1, VERSION)
"""Version 1 was scored otherwise: of it neither cohort nor calibration is used."""
COHORT_PART_BYTES = 1 << 20
# Of a part of a cohort in base64, and a little; no other line is as long.
LONGEST_LINE_BYTES = 2 << 20

_AS_WRITTEN = ConfigDict(
    strict=True,
    extra="forbid",
    allow_inf_nan=False,
    ser_json_bytes="base64",
    val_json_bytes="base64",
)
_Count = Annotated[int, Field(ge=0)]


def _in_utc(instant: datetime) -> datetime:
    """Refuse the year 0 or 10000 of UTC, which another zone's first or last day can lie in."""
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time that no calendar has in UTC") from error


_Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_FARTHEST_PX = 1 << 30
# Boxes are told as shares of it.
_Side = Annotated[int, Field(ge=1, le=_FARTHEST_PX)]


@dataclass(frozen=True, slots=True)
class Header:
    """What the collection is, and how much follows; `cohort_parts` are of its cohort."""

    __pydantic_config__ = _AS_WRITTEN

    likeness_export: _VERSIONS
    name: str
    model: Annotated[str, Field(min_length=1, max_length=1000)]
    dimensions: Annotated[int, Field(ge=1, le=4096)]
    cohort_version: Annotated[str, Field(min_length=1, max_length=100)]
    retention_days: int | None
    created_at: _Instant
    calibration: Calibration | None
    cohort_parts: Annotated[int, Field(ge=1, le=256)]
    subjects: _Count
    references: _Count
    # Files of an older Likeness have none.
    tags: Annotated[dict[str, str], Field(max_length=MOST_TAGS)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CohortPart:
    """Some of the bytes of the cohort."""

    __pydantic_config__ = _AS_WRITTEN

    cohort: bytes


@dataclass(frozen=True, slots=True)
class SubjectLine:
    """A subject; `subject` is the id."""

    __pydantic_config__ = _AS_WRITTEN

    subject: UUID
    name: str
    created_at: _Instant


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A reference; `vector` is little-endian float32. Version 1 said what is computed anew."""

    __pydantic_config__ = _AS_WRITTEN

    reference: UUID
    subject: UUID | None
    vector: bytes
    face: Face
    sample_size: tuple[_Side, _Side]
    sample_sha256: Annotated[bytes, Field(min_length=32, max_length=32)]
    external_id: str | None
    created_at: _Instant
    expires_at: _Instant | None
    cohort_mean: float | None = field(default=None, repr=False)
    cohort_deviation: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse a place that no picture has, which digests are made of, and what none can tell."""
        box = self.face.box
        if max(map(abs, (box.left, box.top, box.right, box.bottom))) > _FARTHEST_PX:
            raise ValueError("a box lies too far away")
        # A detector that somebody added may exceed 1; no list could tell what is past all floats.
        if abs(self.face.confidence) > _FARTHEST_PX:
            raise ValueError("a confidence is far from a share")


@dataclass(frozen=True, slots=True)
class End:
    """The SHA-256 of all lines before, in hexadecimal."""

    __pydantic_config__ = _AS_WRITTEN

    sha256: str


Line = Header | CohortPart | SubjectLine | ReferenceLine | End

# Of version 1, never written any more.
_OLDER = {"cohort_mean", "cohort_deviation"}

ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Header, CohortPart, SubjectLine, ReferenceLine, End)
}


def encoded(line: Line) -> bytes:
    """Write a line."""
    return bytes(ADAPTERS[type(line)].dump_json(line, exclude=_OLDER)) + b"\n"
