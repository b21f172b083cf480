"""A collection's key at work: it seals all that is personal, each thing for its place alone.

The context names collection and row, so that what is sealed opens in no other row; digests for
finding equals take the key too.
"""

import hashlib
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from likeness.errors import KeyUnusable
from likeness.secrets import Digester, Key
from likeness.terms import Box, Face, Landmarks, Point, Pose, Quality, QualityReason

# Two faces of one picture lie further apart; one face, found again, does not move as far.
_PLACE_PX = 8


@dataclass(frozen=True, slots=True)
class Details:
    """What is kept of a face beside its template; `sample_size` is width and height in pixels.

    `sample_sha256` finds the sample again in a collection with another key.
    """

    face: Face
    sample_size: tuple[int, int]
    sample_sha256: bytes
    external_id: str | None


class Seal:
    """Seals and opens what belongs to one collection; safe to use from many threads."""

    def __init__(self, collection_id: UUID, key: Key) -> None:
        self.collection_id = collection_id
        self._key = key
        self._names = Digester(key, "subject name")
        self._external_ids = Digester(key, "external id")
        self._samples = Digester(key, "sample")
        self._faces = Digester(key, "face")
        self._tags = Digester(key, "tag")
        self._proof_key = key.derive("proof")

    def name(self, subject_id: UUID, name: str) -> bytes:
        """Seal a subject's name."""
        return self._key.seal(name.encode(), self._context(b"name", subject_id))

    def opened_name(self, subject_id: UUID, sealed: bytes) -> str:
        """Open a subject's name.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        return self._key.unseal(sealed, self._context(b"name", subject_id)).decode()

    def name_digest(self, name: str) -> bytes:
        """Give 32 bytes by which a name is found."""
        return self._names.digest(name.encode())

    def external_digest(self, external_id: str | None) -> bytes:
        """Give 32 bytes by which a reference's external id is found; none where it has none."""
        return b"" if external_id is None else self._external_ids.digest(external_id.encode())

    def sample_id(self, sample_sha256: bytes) -> UUID:
        """Give the id of a sample: the same whenever it comes, and another in every collection."""
        return UUID(bytes=self._samples.digest(sample_sha256)[:16], version=4)

    def face_digest(self, sample_sha256: bytes, box: Box, external_id: str | None) -> bytes:
        """Give 32 bytes by which a face is found that is enrolled again from the same sample.

        Under another external id it is another reference.
        """
        place = struct.pack("<2q", *place_of(box))
        return self._faces.digest(sample_sha256 + place + (external_id or "").encode())

    def tag_digest(self, key: str) -> bytes:
        """Give 32 bytes by which a tag of the collection is found."""
        return self._tags.digest(key.encode())

    def tag(self, digest: bytes, key: str, value: str) -> bytes:
        """Seal a tag of the collection, whose key has a digest."""
        return self._key.seal(json.dumps([key, value]).encode(), self._tag_context(digest))

    def opened_tag(self, digest: bytes, sealed: bytes) -> tuple[str, str]:
        """Open a tag of the collection: key and value.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        key, value = json.loads(self._key.unseal(sealed, self._tag_context(digest)))
        return key, value

    def vector(self, reference_id: UUID, vector: NDArray[np.float32]) -> bytes:
        """Seal a template's (d,) vector."""
        plain = np.ascontiguousarray(vector, "<f4").tobytes()
        return self._key.seal(plain, self._context(b"vector", reference_id))

    def opened_vector(self, reference_id: UUID, sealed: bytes) -> NDArray[np.float32]:
        """Open a template's (d,) vector.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        plain = self._key.unseal(sealed, self._context(b"vector", reference_id))
        return np.frombuffer(plain, "<f4")

    def details(self, reference_id: UUID, details: Details) -> bytes:
        """Seal what is known of a reference's face."""
        value = {**asdict(details), "sample_sha256": details.sample_sha256.hex()}
        plain = json.dumps(value, separators=(",", ":")).encode()
        return self._key.seal(plain, self._context(b"details", reference_id))

    def opened_details(self, reference_id: UUID, sealed: bytes) -> Details:
        """Open what is known of a reference's face.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        plain = self._key.unseal(sealed, self._context(b"details", reference_id))
        return _details(json.loads(plain))

    def proof(self, said: bytes) -> bytes:
        """Give 16 bytes that prove what a row says in the clear; its parts are unambiguous.

        Keyed BLAKE2b (RFC 7693): a third of HMAC-SHA-256's time, and searches prove what they name.
        """
        return hashlib.blake2b(said, key=self._proof_key, digest_size=16).digest()

    def cohort(self, version: str, calibration: str, content: bytes) -> bytes:
        """Seal the cohort of a version that came with the collection, for a calibration."""
        return self._key.seal(content, self._cohort_context(version, calibration))

    def opened_cohort(self, version: str, calibration: str, sealed: bytes) -> bytes:
        """Open the cohort of a version that came with the collection.

        Raises:
            KeyUnusable: it is damaged, or another's, or its calibration was changed.
        """
        return self._key.unseal(sealed, self._cohort_context(version, calibration))

    def own_strangers(self, content: bytes) -> bytes:
        """Seal what is known of the collection's own strangers."""
        return self._key.seal(content, self._own_strangers_context())

    def opened_own_strangers(self, sealed: bytes) -> bytes:
        """Open what is known of the collection's own strangers.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        return self._key.unseal(sealed, self._own_strangers_context())

    def subject_change(self, change_id: UUID, content: bytes) -> bytes:
        """Seal what is kept of a change of who subjects are."""
        return self._key.seal(content, self._context(b"subject change", change_id))

    def opened_subject_change(self, change_id: UUID, sealed: bytes) -> bytes:
        """Open what is kept of a change of who subjects are.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        return self._key.unseal(sealed, self._context(b"subject change", change_id))

    def of_snapshots(self, kind: str) -> "SnapshotSeal":
        """Give what seals the snapshots of one of the collection's indexes."""
        return SnapshotSeal(self._key, self.collection_id.bytes + kind.encode() + b" ")

    def _own_strangers_context(self) -> bytes:
        return b"gallery own strangers " + self.collection_id.bytes

    def _cohort_context(self, version: str, calibration: str) -> bytes:
        place = b"gallery cohort and calibration " + self.collection_id.bytes
        return place + hashlib.sha256(calibration.encode()).digest() + version.encode()

    def _tag_context(self, digest: bytes) -> bytes:
        return b"gallery tag " + self.collection_id.bytes + digest

    def _context(self, kind: bytes, row_id: UUID) -> bytes:
        return b"gallery %s " % kind + self.collection_id.bytes + row_id.bytes


class SnapshotSeal:
    """A `Sealer` for the snapshots of one index of one collection."""

    def __init__(self, key: Key, place: bytes) -> None:
        self._key = key
        self._place = place

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt."""
        return self._key.seal(plaintext, self._place + context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        return self._key.unseal(sealed, self._place + context)


def place_of(box: Box) -> tuple[int, int]:
    """Say where a face is in its picture: two faces of one picture have other places."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return round(x / _PLACE_PX), round(y / _PLACE_PX)


def _details(value: dict[str, Any]) -> Details:
    try:
        face = value["face"]
        quality = face["quality"]
        reasons = tuple(QualityReason(reason) for reason in quality["reasons"])
        points = {name: Point(**point) for name, point in face["landmarks"].items()}
        width, height = value["sample_size"]
        return Details(
            Face(
                Box(**face["box"]),
                Landmarks(**points),
                face["confidence"],
                Pose(**face["pose"]),
                Quality(**{**quality, "reasons": reasons}),
            ),
            (width, height),
            bytes.fromhex(value["sample_sha256"]),
            value["external_id"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KeyUnusable(
            "The details of a face are not as this Likeness writes them. Run the newer one that"
            " wrote them."
        ) from error
