"""Galleries to try things on: synthetic people, in a home of their own."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.errors import LikenessError
from likeness.gallery import (
    By,
    Candidate,
    Collection,
    CollectionRows,
    Gallery,
    MakeIndex,
    Measured,
    NewReference,
    OpenCollection,
    Reference,
    Size,
    subjects,
)
from likeness.gallery.cohorts import KeptCohort
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.indexes import CollectionIndexes
from likeness.gallery.seal import Seal
from likeness.index.exact_index import ExactIndex
from likeness.index.faiss_index import FaissIndex
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database
from likeness.terms import (
    Box,
    CohortStatistics,
    Face,
    Landmarks,
    Point,
    Pose,
    Quality,
    SeenFace,
    Template,
)

MODEL = "net@1+eyes@1"
DIMENSIONS = 16
COHORT = "cohort@1"


class StrangersCohort:
    """A cohort under which every template stands alike, by default where nobody crowds."""

    followed = 1.0

    def __init__(self, version: str = COHORT, mean: float = 0.0) -> None:
        self.version = version
        self._mean = mean

    def means(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.full(len(vectors), self._mean)

    def highest(self, vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        return np.full((len(vectors), count), self._mean, np.float32)


def kept_cohort(content: bytes) -> StrangersCohort:
    """Read a cohort kept as its version and the one mean that every template has there."""
    version, mean = content.decode().split()
    return StrangersCohort(version, float(mean))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days)


def vector(seed: int) -> NDArray[np.float32]:
    """A unit vector of its own for each seed."""
    drawn = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def template(seed: int, mean: float = 0.0, **changed: str) -> Template:
    cohort = CohortStatistics(mean, changed.get("cohort", COHORT))
    return Template(vector(seed), changed.get("model", MODEL), cohort)


def face(left: float = 10.0) -> Face:
    points = [Point(left + n, 20.0 + n) for n in range(5)]
    return Face(
        Box(left, 10.0, left + 40, 60.0),
        Landmarks(*points),
        0.99,
        Pose(1.0, 2.0, 3.0),
        Quality(50.0, 60.0, 40.0),
    )


def new(seed: int, subject: str | None = None, **changed: Any) -> NewReference:
    """A face to enrol, of a sample of its own."""
    fields: dict[str, Any] = {
        "template": template(seed),
        "face": face(),
        "sample_sha256": hashlib.sha256(b"%d" % seed).digest(),
        "sample_size": (640, 480),
        "subject": subject,
    }
    return NewReference(**{**fields, **changed})


@contextmanager
def names_as_they_came() -> Iterator[None]:
    """Keep and find names as 0.1.0 did: in the spelling in which they come."""
    with pytest.MonkeyPatch.context() as older:
        older.setattr("likeness.terms.names.composed", lambda name: name)
        older.setattr(subjects, "composed", lambda name: name)
        older.setattr(subjects, "spellings", lambda name: (name,))
        yield


def make_exact(name: str, model: str, dimensions: int) -> ExactIndex:
    return ExactIndex(model, dimensions)


def make_faiss(name: str, model: str, dimensions: int) -> FaissIndex:
    return FaissIndex(model, dimensions, segment_rows=64)


class OpenGallery(Gallery):
    """A gallery with a short way to say what tests often do."""

    def open(self, name: str) -> tuple[OpenCollection, CollectionIndexes]:
        """Find a collection and what it is used with."""
        found = self.collection(name)
        return found, self.in_use.open(found)

    def size(self, name: str) -> Size:
        """Count a collection."""
        return self.collection(name).size

    def enrol(self, name: str, new: Sequence[NewReference]) -> list[Reference]:
        """Enrol faces."""
        return enrol(self, name, new)

    def own_scores(
        self, collection: Collection, probe: Template, candidates: Sequence[Candidate]
    ) -> list[float] | None:
        """Score candidates as one stranger with another."""
        return self._its(collection).own_scores(probe, candidates)

    def own_score_of(
        self,
        collection: Collection,
        one: Template,
        other: Template,
        subject_id: UUID | None = None,
    ) -> float | None:
        """Score two templates as one stranger with another."""
        return self._its(collection).own_score_of(one, other, subject_id)

    def strangers(self, collection: Collection) -> Measured | None:
        """Find what was measured of a collection's strangers."""
        return self._its(collection).measured()

    def follow(self, opened: CollectionIndexes, enrolled: Sequence[Reference]) -> None:
        """Let searches find what a committed act enrolled."""
        if enrolled:
            opened.follow(max(reference.number for reference in enrolled))
        self.in_use.snapshot_soon(opened)

    def follow_assignment(self, opened: CollectionIndexes, number: int) -> None:
        """Let searches find what a committed act gave or took."""
        opened.follow_assignment(number)
        self.in_use.snapshot_soon(opened)

    def search(
        self,
        name: str,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search(probe, limit, by, seen=seen)

    def search_in(
        self,
        collection: Collection,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self._its(collection).search(probe, limit, by, among=among, seen=seen)

    def search_reference(
        self,
        name: str,
        reference_id: UUID,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search_reference(reference_id, limit, by, among=among)

    def search_subject(
        self, name: str, subject_id: UUID, limit: int, among: Sequence[UUID] | None = None
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search_subject(subject_id, limit, among=among)

    def give_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Make references a subject's."""
        found = self.collection(name)
        found.follow_assignment(
            self.database.write(lambda one: found.within(one).give(subject_id, reference_ids))
        )

    def take_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Take references from a subject."""
        found = self.collection(name)
        found.follow_assignment(
            self.database.write(lambda one: found.within(one).take(subject_id, reference_ids))
        )

    def kept_cohort(self, collection: Collection) -> KeptCohort | None:
        """Find the cohort that came with a collection."""
        return collection.kept_cohort()

    def snapshot(self, name: str) -> None:
        """Write what makes the collection's next start fast."""
        self.open(name)[1].snapshot()

    def _its(self, collection: Collection) -> OpenCollection:
        if not isinstance(collection, OpenCollection):
            raise TypeError("a collection that this gallery opened is expected")
        return collection


def enrol(gallery: Gallery, name: str, new: Sequence[NewReference]) -> list[Reference]:
    """Enrol faces, all or none, in one commit; searches that start after this find them."""

    collection = gallery.collection(name)
    try:
        evened = collection.evened_out(new)
        enrolled = gallery.database.write(
            lambda c: collection.within(c).references.enrol(evened, gallery._clock())
        )
    except LikenessError:
        if collection.is_comparable_with(gallery.by_id(collection.id)):
            raise
        return enrol(gallery, name, new)  # it switched to another model meanwhile
    collection.follow(enrolled)
    return enrolled


class Home:
    """A database, keys and snapshots that outlive the gallery that has them open."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.clock = Clock()
        self.database: Database = open_database(url, lock_timeout_s=30)
        migrate(self.database)

    @property
    def snapshots(self) -> Path:
        return self.folder / "snapshots"

    def keyring(self) -> Keyring:
        return Keyring(KeyFiles(self.folder / "keys"))

    def open(
        self, make_index: MakeIndex = make_faiss, keyring: Keyring | None = None
    ) -> OpenGallery:
        return OpenGallery(
            self.database,
            keyring or self.keyring(),
            lambda model, version: StrangersCohort(version),
            kept_cohort,
            make_index=make_index,
            snapshots=self.snapshots,
            clock=self.clock,
        )

    def bytes_on_disk(self) -> bytes:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files)


def length(following: FollowingIndex) -> int:
    """Count the vectors of an index, once it is ready to be searched."""
    following._make_ready()
    return len(following._index)


def at(connection: Connection, seal: Seal, collection: Any = None) -> CollectionRows:
    """Give a collection in a transaction, of whatever key."""
    return CollectionRows(connection, seal, collection)


def create(gallery: Gallery, name: str, **said: Any) -> Collection:
    """Make a collection in an act of its own."""
    now = gallery._clock()
    return gallery.database.write(lambda c: gallery.create(c, name, now=now, **said))


def make(gallery: Gallery, name: str = "staff", **changed: Any) -> None:
    said = {"model": MODEL, "dimensions": DIMENSIONS, "cohort_version": COHORT}
    create(gallery, name, **{**said, **changed})
