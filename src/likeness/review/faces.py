"""Faces that review knows: one identity for that of a search, and pictures of enrolled ones.

A search's face is the same whichever door looks at it, and how closely.

Two looks at a face of a sample give slightly different boxes, so that a box alone is no identity. A
face is known as it was when the first case of it was opened; a later look whose box overlaps that
one is at the same face (`SeenFace.is_of`). What is enrolled is known by its id.

A person seen in a clip is known by every half second in which they were: by where their face was.
Another run over the same clip may look at other moments, and may begin or end its tracks elsewhere.
A later person is the same where two half seconds in a row, or most of the looks of whoever has
fewer, are at one face (`ClipFace.is_of`). One half second alone is not enough: after a cut somebody
else may be in the same place.

Likeness 0.1.0 knew the largest face of a sample by the sample alone on Rekognition's wire, and any
face by the sample and its rounded box at the command line. Cases and verdicts from then are found
by those, and the face goes on to be known so.

Pictures of enrolled faces are for people to look at, kept only while the operator wants crops.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from likeness.review.keys import ensure_key, open_key
from likeness.review.tables import CANDIDATES, CASES, CROPS, PROBES, TOLD_APART
from likeness.secrets import Digester, Key, Keyring
from likeness.terms import Box, SeenFace, in_batches

_BY_THE_SAMPLE_ALONE = ""
_HALF_SECOND_S = 0.5
# A statement takes no more values than this at once, whichever the database.
_AT_A_TIME = 900


@dataclass(frozen=True, slots=True)
class SampleFace:
    """A face of a sample; `is_largest` is whether it is the largest there."""

    sample: bytes
    box: Box
    is_largest: bool = True


@dataclass(frozen=True, slots=True)
class ClipFace:
    """A person seen in a clip: in which half seconds, and where their face was then.

    `looks` are numbers of half seconds from the clip's start, rising, each with a box in pixels of
    the clip's frames.

    Raises:
        ValueError: there is no look, or they are not in order.
    """

    clip_sha256: bytes
    looks: tuple[tuple[int, Box], ...]

    def __post_init__(self) -> None:
        """Refuse what nobody can have seen."""
        numbers = [number for number, _ in self.looks]
        if not numbers or numbers[0] < 0 or sorted(set(numbers)) != numbers:
            raise ValueError(f"Not looks of a person: half seconds {numbers}. Give rising ones.")

    @classmethod
    def at(cls, clip_sha256: bytes, looks: Iterable[tuple[float, Box]]) -> "ClipFace":
        """Take it from looks at times in seconds: of each half second that nearest its middle."""
        nearest: dict[int, tuple[float, Box]] = {}
        for time_s, box in looks:
            number = int(time_s / _HALF_SECOND_S)
            off_s = abs(time_s - (number + 0.5) * _HALF_SECOND_S)
            if number not in nearest or off_s < nearest[number][0]:
                nearest[number] = off_s, box
        return cls(clip_sha256, tuple((number, nearest[number][1]) for number in sorted(nearest)))

    def is_of(self, known: Mapping[int, Box], of_all: int) -> bool:
        """Whether this is somebody who is known by their looks.

        Args:
            known: those of their looks that are at, or next to, a half second of this one's.
            of_all: how many looks of theirs are known.
        """
        own = dict(self.looks)

        def alike(number: int, other: int) -> bool:
            boxes = own[number], known[other]
            return SeenFace(self.clip_sha256, boxes[0]).is_of(SeenFace(self.clip_sha256, boxes[1]))

        same = {number for number in own if number in known and alike(number, number)}
        if any(number + 1 in same for number in same):
            return True
        # Looks taken less often may fall into the half seconds between.
        beside = {
            number
            for number in own.keys() - known.keys()
            for other in (number - 1, number + 1)
            if other in known and other not in own and alike(number, other)
        }
        return 2 * len(same | beside) > min(len(own), of_all)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a probe is known as: what is digested of it, and its place in the sample if that counts.

    `place` is empty where it does not.
    """

    probe: bytes
    place: str = ""

    def digest(self, key: Key) -> bytes:
        """Give what finds cases and verdicts of it."""
        return Digester(key, "probe").digest(self.probe)


def identities_of(
    connection: Connection, key: Key, probe: bytes | SampleFace | ClipFace
) -> list[Identity]:
    """Say what a probe is known as, that of new cases first; `bytes` are what is enrolled, by id.

    It has several where Likeness 0.1.0 knew the face otherwise at each door.
    """
    if isinstance(probe, bytes):
        return [Identity(probe)]
    if isinstance(probe, ClipFace):
        return _identities_in_clip(connection, key, probe)
    seen = SeenFace(sha256(probe.sample).digest(), probe.box)
    known, others = [], set()
    rows = connection.execute(select(PROBES).where(PROBES.c.sample_digest == _digest(key, seen)))
    for row in rows:
        box = Box(row.left, row.top, row.right, row.bottom)
        if seen.is_of(SeenFace(seen.sample_sha256, box)):
            known.append((-probe.box.overlap(box), row.place))
        else:
            others.add(row.place)
    own = ",".join(f"{side:.0f}" for side in _sides(probe.box))
    older = [_BY_THE_SAMPLE_ALONE, own] if probe.is_largest else [own]
    places = [place for _, place in sorted(known)] + [
        place
        for place in older
        if place not in others and _is_kept(connection, _identity(probe, place).digest(key))
    ]
    return [_identity(probe, place) for place in dict.fromkeys(places or [own])]


def remember_face(
    connection: Connection,
    key: Key,
    collection_id: object,
    probe: bytes | SampleFace | ClipFace,
    identity: Identity,
) -> None:
    """Keep which face of a sample an identity is of, with the first case of it."""
    if isinstance(probe, bytes):
        return
    if isinstance(probe, ClipFace):
        _remember_looks(connection, key, collection_id, probe, identity)
        return
    seen = SeenFace(sha256(probe.sample).digest(), probe.box)
    place = {"sample_digest": _digest(key, seen), "place": identity.place}
    of_place = (PROBES.c[name] == value for name, value in place.items())
    if connection.execute(select(PROBES.c.place).where(*of_place)).first() is None:
        left, top, right, bottom = _sides(probe.box)
        connection.execute(
            insert(PROBES).values(
                **place,
                collection_id=collection_id,
                probe_digest=identity.digest(key),
                left=left,
                top=top,
                right=right,
                bottom=bottom,
            )
        )


def _identities_in_clip(connection: Connection, key: Key, probe: ClipFace) -> list[Identity]:
    number_of = {
        _look_digest(key, probe, near): near
        for number, _ in probe.looks
        for near in (number - 1, number, number + 1)
    }
    looks: dict[tuple[str, bytes], dict[int, Box]] = {}
    for digests in in_batches(number_of, _AT_A_TIME):
        for row in connection.execute(select(PROBES).where(PROBES.c.sample_digest.in_(digests))):
            box = Box(row.left, row.top, row.right, row.bottom)
            known = looks.setdefault((row.place, row.probe_digest), {})
            known[number_of[row.sample_digest]] = box
    places = []
    for (place, probe_digest), known in looks.items():
        counting = select(func.count()).where(PROBES.c.probe_digest == probe_digest)
        if probe.is_of(known, connection.execute(counting).scalar_one()):
            places.append((-len(known), place))
    every = [place for _, place in sorted(places)] or [_place_in_clip(probe)]
    return [Identity(sha256(probe.clip_sha256 + place.encode()).digest(), place) for place in every]


def _remember_looks(
    connection: Connection, key: Key, collection_id: object, probe: ClipFace, identity: Identity
) -> None:
    """Keep every look at a person of a clip, beside those that are known of them."""
    probe_digest = identity.digest(key)
    chosen = select(PROBES.c.sample_digest).where(PROBES.c.probe_digest == probe_digest)
    known = set(connection.execute(chosen).scalars())
    rows = [
        {
            "sample_digest": digest,
            "place": identity.place,
            "collection_id": collection_id,
            "probe_digest": probe_digest,
            **dict(zip(("left", "top", "right", "bottom"), _sides(box), strict=True)),
        }
        for number, box in probe.looks
        if (digest := _look_digest(key, probe, number)) not in known
    ]
    if rows:
        connection.execute(insert(PROBES), rows)


def _place_in_clip(probe: ClipFace) -> str:
    """Name somebody of a clip by all their looks, in a way that is no face's of a sample."""
    sides = (
        f"{number}:" + ",".join(f"{side:.0f}" for side in _sides(box))
        for number, box in probe.looks
    )
    return f"clip {sha256(' '.join(sides).encode()).hexdigest()}"


def _look_digest(key: Key, probe: ClipFace, number: int) -> bytes:
    return Digester(key, "clip").digest(probe.clip_sha256 + b" %d" % number)


def forget_unknown_faces(connection: Connection) -> None:
    """Delete the faces of which neither a case nor a verdict is kept any more."""
    kept = (select(table.c.probe_digest) for table in (CASES, TOLD_APART))
    sighted = CANDIDATES.c.sighting_id, TOLD_APART.c.candidate_id
    connection.execute(
        delete(PROBES).where(
            *(PROBES.c.probe_digest.not_in(digests) for digests in kept),
            or_(
                PROBES.c.sighting_id.is_(None),
                and_(
                    *(
                        PROBES.c.sighting_id.not_in(select(one).where(one.is_not(None)))
                        for one in sighted
                    )
                ),
            ),
        )
    )


def sighting_ids_of(
    connection: Connection, keyring: Keyring, collection_id: UUID, seen: ClipFace
) -> list[UUID]:
    """Give the ids by which somebody seen in a clip is a candidate, that of new cases first.

    It is the same in another run over the clip; they have several who were taken for two people
    before. Their looks are kept from now on, so that a case of theirs has to be opened, or kept.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    key = ensure_key(connection, keyring, collection_id)
    identities = identities_of(connection, key, seen)
    remember_face(connection, key, collection_id, seen, identities[0])
    digests = [one.digest(key) for one in identities]
    known = {
        row.probe_digest: row.sighting_id
        for row in connection.execute(
            select(PROBES.c.probe_digest, PROBES.c.sighting_id)
            .where(PROBES.c.probe_digest.in_(digests), PROBES.c.sighting_id.is_not(None))
            .distinct()
        )
    }
    ids: list[UUID] = [known[digest] for digest in digests if digest in known] or [uuid4()]
    nameless = PROBES.c.probe_digest == digests[0], PROBES.c.sighting_id.is_(None)
    first = known.get(digests[0], ids[0])
    connection.execute(update(PROBES).where(*nameless).values(sighting_id=first))
    return ids


def _identity(face: SampleFace, place: str) -> Identity:
    return Identity(sha256(face.sample + place.encode()).digest(), place)


def _is_kept(connection: Connection, digest: bytes) -> bool:
    return any(
        connection.execute(
            select(table.c.probe_digest).where(table.c.probe_digest == digest).limit(1)
        ).first()
        for table in (CASES, TOLD_APART)
    )


def _digest(key: Key, seen: SeenFace) -> bytes:
    return Digester(key, "sample").digest(seen.sample_sha256)


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def keep_crops(
    connection: Connection, keyring: Keyring, collection_id: UUID, crops_jpeg: Mapping[UUID, bytes]
) -> None:
    """Keep a picture of each of these references' faces, a JPEG.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    if not crops_jpeg:
        return
    key = ensure_key(connection, keyring, collection_id)
    rows = [
        {
            "reference_id": reference_id,
            "collection_id": collection_id,
            "sealed_crop": key.seal(crop_jpeg, _crop_context(reference_id)),
        }
        for reference_id, crop_jpeg in crops_jpeg.items()
    ]
    connection.execute(insert(CROPS), rows)


def open_crop(
    connection: Connection, keyring: Keyring, collection_id: UUID, reference_id: UUID
) -> bytes | None:
    """Open the picture of a reference's face, a JPEG; None where none was kept.

    Raises:
        KeyUnusable: a key is gone.
    """
    sealed = connection.execute(
        select(CROPS.c.sealed_crop).where(
            CROPS.c.reference_id == reference_id, CROPS.c.collection_id == collection_id
        )
    ).scalar()
    if sealed is None:
        return None
    return open_key(connection, keyring, collection_id).unseal(sealed, _crop_context(reference_id))


def with_crops(
    connection: Connection, collection_id: UUID, reference_ids: Collection[UUID]
) -> set[UUID]:
    """Say of which of these references a picture is kept."""
    chosen = select(CROPS.c.reference_id).where(
        CROPS.c.reference_id.in_(reference_ids), CROPS.c.collection_id == collection_id
    )
    return set(connection.execute(chosen).scalars())


def _crop_context(reference_id: UUID) -> bytes:
    return b"crop of reference " + reference_id.bytes
