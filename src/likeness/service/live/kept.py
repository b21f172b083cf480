"""What a live search keeps, under its job's key: what it told, and what review knows people by.

    part      number          owner          content
    sighting  counts, from 1  a person or 0  what was told, without who it is (JSON)
    mark      the person's    the person     (n, 5) float32: a half second's number, the box then
    shot      the person's    the person     a picture of the face, while pictures are kept (JPEG)

Mentions are whom a person was found to be like, so that an erasure finds them. Times of results are
milliseconds since the search was asked for. People count from 1.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from likeness.jobs import SHOT, Job, Result
from likeness.review import ClipFace
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.terms import Box

SIGHTING, MARK = "sighting", "mark"
NOBODY = 0
"""The owner of what is told of the source."""


@dataclass(frozen=True, slots=True)
class KeptSighting:
    """A sighting as it is kept; whom it is of, the person's mentions say."""

    kind: SightingKind
    at: datetime
    person: int | None
    first_at: datetime | None
    last_at: datetime | None
    box: Box | None
    width: int
    height: int
    withheld: bool
    case_id: UUID | None
    latency_ms: int
    remark: str | None


_SIGHTING = TypeAdapter(KeptSighting)


def of_sighting(sighting: Sighting, job: Job) -> Result:
    """Make the row of a sighting."""
    kept = KeptSighting(
        sighting.kind,
        sighting.at,
        sighting.person,
        sighting.first_at,
        sighting.last_at,
        sighting.box,
        sighting.width,
        sighting.height,
        sighting.withheld,
        sighting.case_id,
        sighting.latency_ms,
        sighting.remark,
    )
    owner = NOBODY if sighting.person is None else sighting.person
    content = _SIGHTING.dump_json(kept)
    return Result(SIGHTING, sighting.number, owner, since(job, sighting.at), content)


def read_sighting(result: Result) -> Sighting:
    """Read the row of a sighting, which names nobody."""
    kept = _SIGHTING.validate_json(result.content)
    return Sighting(
        result.number,
        kept.kind,
        kept.at,
        person=kept.person,
        first_at=kept.first_at,
        last_at=kept.last_at,
        box=kept.box,
        width=kept.width,
        height=kept.height,
        withheld=kept.withheld,
        case_id=kept.case_id,
        latency_ms=kept.latency_ms,
        remark=kept.remark,
    )


def of_person(person: int, face: ClipFace, crop_jpeg: bytes, at_ms: int) -> Iterable[Result]:
    """Make the rows of somebody who was told of; without a picture where none may be kept."""
    looks = [(n, box.left, box.top, box.right, box.bottom) for n, box in face.looks]
    file = io.BytesIO()
    np.save(file, np.array(looks, np.float32), allow_pickle=False)
    yield Result(MARK, person, person, at_ms, file.getvalue())
    if crop_jpeg:
        yield Result(SHOT, person, person, at_ms, crop_jpeg)


def read_marks(result: Result, job_id: str) -> ClipFace:
    """Read what review knows somebody by."""
    rows: NDArray[np.float32] = np.load(io.BytesIO(result.content), allow_pickle=False)
    looks = ((int(number), Box(*sides)) for number, *sides in rows.tolist())
    return ClipFace(digest_of(job_id), tuple(looks))


def face_of(job_id: str, looks: Mapping[int, Box]) -> ClipFace:
    """Say what review knows somebody by, of where they were in which half seconds."""
    return ClipFace(digest_of(job_id), tuple(sorted(looks.items())))


def digest_of(job_id: str) -> bytes:
    """Give what stands for the digest of a clip: a live search has nothing else of its own."""
    return hashlib.sha256(b"live search " + job_id.encode()).digest()


def since(job: Job, at: datetime) -> int:
    """Count the milliseconds from when a search was asked for."""
    return max(0, round(1000 * (at - job.made_at).total_seconds()))
