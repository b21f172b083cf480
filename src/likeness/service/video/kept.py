"""What a job keeps: segments while it runs, and afterwards what it found, all under the job's key.

    part     number            owner       content
    clip     0                 0           what the clip is, and what came of decoding it (JSON)
    person   the person's      the same    from when to when, the best shot, marks for review (JSON)
    path     counts            a person    (n, 5) float32: seconds, left, top, right, bottom (NumPy)
    mark     the person's      a person    (n, 5) float32: a half second's number, and the box then
    look     counts, by time   a person    a face at a moment of the timeline (JSON)
    shot     the person's      a person    a picture of the face, while pictures may be kept (JPEG)

Mentions are whom a person was found to be like: they hold ids of ours, so that an erasure finds
them. No part holds a template.
"""

import io
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from likeness import jobs
from likeness.errors import required
from likeness.gallery import Candidate, CollectionRows, Reference, Subject
from likeness.jobs import SHOT, Mention, Result
from likeness.review import ClipFace
from likeness.service.search.naming import Verdict
from likeness.service.uses import Rows
from likeness.service.video.gathering import FollowedPerson, SeenLook, best_shot
from likeness.service.video.naming import SeenMatch
from likeness.terms import Box, Comparison, Face, in_batches
from likeness.video import Clip, Interval, Segment, pack_tracks, unpack_tracks

CLIP, PERSON, PATH, MARK, LOOK = "clip", "person", "path", "mark", "look"
_AT_ONCE = 2000
_IDS_AT_ONCE = 900
_HEADER = struct.Struct(">I")
_FACE = TypeAdapter(Face)


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a clip is, and what came of decoding it.

    `sha256` is of its bytes, in hexadecimal digits. It was looked at from `from_ms` to `to_ms`;
    `damaged` frames were passed over.
    """

    clip: Clip
    sha256: str
    from_ms: int
    to_ms: int
    frames: int
    looked_at: int
    damaged: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """Somebody who was seen; without a shot nobody could recognise them."""

    number: int
    intervals: tuple[Interval, ...]
    best_at_ms: int | None
    best_face: Face | None
    shots: int


@dataclass(frozen=True, slots=True)
class KeptMatch:
    """How like somebody a person was found to be; who that is, the mention says."""

    comparison: Comparison
    similarity: float
    verdict: Verdict
    looks: int
    agreeing: int
    agreement: float


_FACTS, _PERSON = TypeAdapter(ClipFacts), TypeAdapter(KeptPerson)
_MATCH = TypeAdapter(KeptMatch)


# Segments


@dataclass(frozen=True, slots=True, eq=False)
class KeptSegment:
    """A segment, the digest of the clip that it is of, and the damage that was met by its end."""

    segment: Segment
    clip_sha256: str
    damaged: int

    def to_bytes(self) -> bytes:
        """Write it."""
        one = self.segment
        facts = {
            "number": one.number,
            "from_s": one.from_s,
            "to_s": one.to_s,
            "frames": one.frames,
            "looked_at": one.looked_at,
            "clip_sha256": self.clip_sha256,
            "damaged": self.damaged,
        }
        header = json.dumps(facts).encode()
        return _HEADER.pack(len(header)) + header + pack_tracks(one.tracks)


def read_segment(content: bytes) -> KeptSegment:
    """Read what `KeptSegment.to_bytes` wrote."""
    (length,) = _HEADER.unpack_from(content)
    facts = json.loads(content[_HEADER.size : _HEADER.size + length])
    clip_sha256, damaged = facts.pop("clip_sha256"), facts.pop("damaged")
    tracks = unpack_tracks(content[_HEADER.size + length :])
    return KeptSegment(Segment(**facts, tracks=tracks), clip_sha256, damaged)


def kept_segments(rows: Rows, job_id: str) -> Iterator[KeptSegment]:
    """Read the segments of a job that are done, one at a time."""
    count = rows.database.read(partial(jobs.segments_kept, job_id=job_id))
    for number in range(count):
        read = partial(jobs.segment_of, keyring=rows.keyring, job_id=job_id, number=number)
        yield read_segment(required(rows.database.read(read), "a segment of a job"))


# Results


def of_clip(facts: ClipFacts) -> Result:
    """Make the row of a clip."""
    return Result(CLIP, 0, 0, 0, _FACTS.dump_json(facts))


def of_people(people: Iterable[FollowedPerson], *, keeps_pictures: bool) -> Iterator[Result]:
    """Make the rows of who was seen; those of paths are counted, over all people."""
    paths = 0
    for person in people:
        best = best_shot(person.shots)
        begins_ms = round(1000 * person.intervals[0].begins_s)
        kept = KeptPerson(
            person.number,
            person.intervals,
            None if best is None else round(1000 * best.look.time_s),
            None if best is None else best.look.face,
            len(person.shots),
        )
        number = person.number
        yield Result(PERSON, number, number, begins_ms, _PERSON.dump_json(kept))
        for path in person.paths:
            yield Result(PATH, paths, number, round(1000 * float(path[0, 0])), _npy(path))
            paths += 1
        if best is None:  # nobody will ever be asked who it is
            continue
        yield Result(MARK, number, number, begins_ms, _npy(_marks(person)))
        if keeps_pictures and best.crop_jpeg:
            yield Result(SHOT, number, number, round(1000 * best.look.time_s), best.crop_jpeg)


def of_looks(looks: Iterable[SeenLook], first: int) -> Iterator[Result]:
    """Make the rows of looks, which are counted from `first` on."""
    for number, look in enumerate(looks, first):
        yield Result(LOOK, number, look.person, look.at_ms, _FACE.dump_json(look.face))


def of_matches(person: int, matches: Iterable[SeenMatch]) -> Iterator[Mention]:
    """Make the mentions of whom a person is like, the most alike first."""
    for rank, one in enumerate(matches):
        kept = KeptMatch(
            one.candidate.comparison,
            one.similarity,
            one.verdict,
            one.looks,
            one.agreeing,
            one.agreement,
        )
        yield Mention(person, rank, one.reference_id, one.subject_id, _MATCH.dump_json(kept))


def keep(rows: Rows, job_id: str, results: Iterable[Result], runner: str) -> None:
    """Keep results, some in each transaction: nobody reads them before the job has ended.

    Raises:
        JobStopped: the job is another runner's.
    """
    for some in in_batches(results, _AT_ONCE):
        rows.database.write(
            partial(
                jobs.keep_results,
                keyring=rows.keyring,
                job_id=job_id,
                results=list(some),
                runner=runner,
            )
        )


def enrolled_still(its: CollectionRows, mentions: Iterable[Mention]) -> list[Reference]:
    """List the references that are mentioned, of those that were not erased meanwhile."""
    ids = {one.reference_id for one in mentions if one.reference_id is not None}
    return [
        reference
        for some in in_batches(ids, _IDS_AT_ONCE)
        for reference in its.references.page(ids=some, limit=len(some))
    ]


def read_facts(result: Result) -> ClipFacts:
    """Read the row of a clip."""
    return _FACTS.validate_json(result.content)


def read_person(result: Result) -> KeptPerson:
    """Read the row of somebody who was seen."""
    return _PERSON.validate_json(result.content)


def read_path(result: Result) -> NDArray[np.float32]:
    """Read a row of where somebody was."""
    path: NDArray[np.float32] = np.load(io.BytesIO(result.content), allow_pickle=False)
    return path


def read_marks(result: Result, clip_sha256: str) -> ClipFace:
    """Read what review knows somebody by."""
    rows: NDArray[np.float32] = np.load(io.BytesIO(result.content), allow_pickle=False)
    looks = tuple((int(number), Box(*sides)) for number, *sides in rows.tolist())
    return ClipFace(bytes.fromhex(clip_sha256), looks)


def read_look(result: Result) -> SeenLook:
    """Read a row of the timeline."""
    return SeenLook(result.at_ms, result.owner, _FACE.validate_json(result.content))


def read_match(mention: Mention, reference: Reference, subject: Subject | None) -> SeenMatch:
    """Read a mention of somebody who is enrolled still."""
    kept = _MATCH.validate_json(mention.content)
    return SeenMatch(
        Candidate(reference, subject, kept.comparison),
        kept.similarity,
        kept.verdict,
        kept.looks,
        kept.agreeing,
        kept.agreement,
    )


def clip_face_of(person: FollowedPerson, clip_sha256: str) -> ClipFace:
    """Say what review knows somebody by who is seen in a clip."""
    looks = ((time_s, Box(*sides)) for path in person.paths for time_s, *sides in path.tolist())
    return ClipFace.at(bytes.fromhex(clip_sha256), looks)


def _marks(person: FollowedPerson) -> NDArray[np.float32]:
    seen = clip_face_of(person, "").looks
    return np.array([(n, box.left, box.top, box.right, box.bottom) for n, box in seen], np.float32)


def _npy(array: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
