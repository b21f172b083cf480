"""One identity for the face that searches are for, whichever door looks at it, and how closely.

Two looks at a face of a sample give slightly different boxes, so that a box alone is no identity. A
face is known as it was when the first case of it was opened; a later look whose box overlaps that
one is at the same face (`SeenFace.is_of`). What is enrolled is known by its id.

Likeness 0.1.0 knew the largest face of a sample by the sample alone on Rekognition's wire, and any
face by the sample and its rounded box at the command line. Cases and verdicts from then are found
by those, and the face goes on to be known so.
"""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from likeness.review.tables import CASES, PROBES, TOLD_APART
from likeness.secrets import Digester, Key
from likeness.terms import Box, SeenFace

_BY_THE_SAMPLE_ALONE = ""


@dataclass(frozen=True, slots=True)
class SampleFace:
    """A face of a sample; `is_largest` is whether it is the largest there."""

    sample: bytes
    box: Box
    is_largest: bool = True


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


def identities(connection: Connection, key: Key, probe: bytes | SampleFace) -> list[Identity]:
    """Say what a probe is known as, that of new cases first; `bytes` are what is enrolled, by id.

    It has several where Likeness 0.1.0 knew the face otherwise at each door.
    """
    if isinstance(probe, bytes):
        return [Identity(probe)]
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


def remember(
    connection: Connection,
    key: Key,
    collection_id: object,
    probe: bytes | SampleFace,
    identity: Identity,
) -> None:
    """Keep which face of a sample an identity is of, with the first case of it."""
    if isinstance(probe, bytes):
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


def forget_unknown(connection: Connection) -> None:
    """Delete the faces of which neither a case nor a verdict is kept any more."""
    kept = (select(table.c.probe_digest) for table in (CASES, TOLD_APART))
    connection.execute(
        delete(PROBES).where(*(PROBES.c.probe_digest.not_in(digests) for digests in kept))
    )


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
