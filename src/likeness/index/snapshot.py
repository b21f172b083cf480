"""What an index leaves on disk, sealed, so that the next start is fast.

A folder holds `manifest.json`, what lists were learnt (`*.lists`) and the segments: `*.ids`, small,
to find a person's segments by, and `*.rows`, everything that has to be in memory again.

1. No byte of a vector is written unsealed, and every file is sealed for its own name.
2. Files are written whole and never changed. The manifest, written last and renamed into place,
   says which belong to the snapshot; a crash leaves the snapshot before.
3. Whatever is not as it was written (another key, version or model; bytes changed, cut off or
   missing) is an error; then the rows, which are the truth, make the index again.
"""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.errors import LikenessError, ModelMismatch, NotFound, SnapshotUnusable
from likeness.index.vector_table import Entries, Kept

# Counts up whenever files of the version before cannot be read any more.
FORMAT = 2
_MANIFEST = "manifest.json"


class Sealer(Protocol):
    """Authenticated encryption under a key that the sealer holds."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; `context` is not kept, and is needed again to unseal."""

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            LikenessError: key or context are others, or the bytes were changed.
        """


@dataclass(frozen=True, slots=True, eq=False)
class SavedSegment:
    """The living rows of one segment; `entries` is None while there are no lists."""

    ids: NDArray[np.int64]
    vectors: Kept
    scales: NDArray[np.float32]
    entries: Entries | None


@dataclass(frozen=True, slots=True, eq=False)
class SavedLists:
    """What lists were learnt, and from how many rows; see `InvertedLists`."""

    centroids: NDArray[np.float32]
    codebook: NDArray[np.float32]
    learnt_at: int


class Reached(NamedTuple):
    """How far an index has followed its rows: the last of each kind of change that it holds."""

    reference: int = 0
    reassignment: int = 0
    removal: int = 0

    def covers(self, other: "Reached") -> bool:
        """Whether another is not further in anything."""
        return all(ours >= theirs for ours, theirs in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What belongs to a snapshot, by name; it holds every change up to what it `reached`."""

    reached: Reached
    lists: str | None
    segments: tuple[str, ...]


class SnapshotFolder:
    """The one snapshot of one index; `lock` is held over whatever reads and then writes it."""

    def __init__(self, path: Path, sealer: Sealer, model: str, dimensions: int) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._sealer = sealer
        self._model = model
        self._dimensions = dimensions

    def manifest(self) -> Manifest:
        """Read what belongs to the snapshot.

        Raises:
            NotFound: there is no snapshot.
            ModelMismatch: it is of another model.
            SnapshotUnusable: it is damaged, of another version, or sealed with another key.
        """
        with self._faults():
            try:
                written = (self._path / _MANIFEST).read_bytes()
            except FileNotFoundError as error:
                raise NotFound(
                    f"No index snapshot at {self._path}. Make the index from the rows."
                ) from error
        body, _, seal = written.partition(b"\n")
        stated = self._stated(body)
        try:
            sealed = bytes.fromhex(seal.decode("ascii"))
        except ValueError as error:
            raise self._unusable(f"its {_MANIFEST} is damaged") from error
        self._unsealed(sealed, _MANIFEST, body)
        if (stated["model"], stated["dimensions"]) != (self._model, self._dimensions):
            raise ModelMismatch(
                f"The index snapshot at {self._path} is of {stated['model']} with"
                f" {stated['dimensions']} dimensions, not of {self._model} with {self._dimensions}."
                " Delete the folder, and the index is made again from the rows."
            )
        return Manifest(Reached(*stated["reached"]), stated["lists"], tuple(stated["segments"]))

    def names(self) -> frozenset[str]:
        """Name everything in a snapshot that can go on being used; nothing where none can."""
        try:
            manifest = self.manifest()
        except (NotFound, ModelMismatch, SnapshotUnusable):
            return frozenset()
        return frozenset(filter(None, (manifest.lists, *manifest.segments)))

    def commit(self, manifest: Manifest) -> None:
        """Make the files that a manifest names the snapshot, and delete all others.

        Raises:
            SnapshotUnusable: the folder cannot be written.
        """
        stated = {
            "format": FORMAT,
            "model": self._model,
            "dimensions": self._dimensions,
            "reached": manifest.reached,
            "lists": manifest.lists,
            "segments": manifest.segments,
        }
        body = json.dumps(stated).encode()
        seal = self._sealer.seal(b"", _context(_MANIFEST) + body)
        with self._faults():
            self._path.mkdir(parents=True, exist_ok=True)
            unfinished = self._path / ".manifest"
            _write_durably(unfinished, body + b"\n" + seal.hex().encode())
            unfinished.replace(self._path / _MANIFEST)
            _make_names_durable(self._path)
            files = {f"{name}.{kind}" for name in manifest.segments for kind in ("ids", "rows")}
            self._delete_all_but(files | {_MANIFEST, f"{manifest.lists}.lists"})

    def _delete_all_but(self, names: set[str]) -> None:
        for path in self._path.iterdir():
            if path.name not in names:
                path.unlink()
        _make_names_durable(self._path)

    def write_segment(self, segment: SavedSegment) -> str:
        """Write a segment that the next manifest may name, and give its name.

        Raises:
            SnapshotUnusable: the folder cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            "ids": segment.ids,
            "vectors": segment.vectors,
            "scales": segment.scales,
        }
        if segment.entries is not None:
            arrays |= {"lists": segment.entries.lists, "codes": segment.entries.codes}
        name = secrets.token_hex(16)
        self._write(f"{name}.rows", arrays)
        self._write(f"{name}.ids", {"ids": segment.ids})
        return name

    def read_segment(self, name: str) -> SavedSegment:
        """Read a segment that the manifest names.

        Raises:
            SnapshotUnusable: it is missing or damaged.
        """
        arrays = self._read(f"{name}.rows")
        entries = Entries(arrays["lists"], arrays["codes"]) if "lists" in arrays else None
        return SavedSegment(arrays["ids"], arrays["vectors"], arrays["scales"], entries)

    def write_lists(self, lists: SavedLists) -> str:
        """Write what lists were learnt, and give the name.

        Raises:
            SnapshotUnusable: the folder cannot be written.
        """
        name = secrets.token_hex(16)
        learnt_at = np.array([lists.learnt_at])
        arrays = {"centroids": lists.centroids, "codebook": lists.codebook, "at": learnt_at}
        self._write(f"{name}.lists", arrays)
        return name

    def read_lists(self, name: str) -> SavedLists:
        """Read what lists were learnt.

        Raises:
            SnapshotUnusable: it is missing or damaged.
        """
        arrays = self._read(f"{name}.lists")
        return SavedLists(arrays["centroids"], arrays["codebook"], int(arrays["at"][0]))

    def held(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give which of (n,) ids are in the snapshot, from its small files alone.

        Each is sealed together with the rows of its name and says which ids those are.

        Raises:
            ModelMismatch, SnapshotUnusable: see `manifest`.
        """
        with self.lock:
            try:
                names = self.manifest().segments
            except NotFound:
                return np.empty(0, np.int64)
            found = [np.intersect1d(self._ids_in(name), ids) for name in names]
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))

    def erase(self, ids: NDArray[np.int64]) -> int:
        """Write the segments that hold one of (n,) ids anew without them, and say how many.

        When this returns nothing of them is in the folder. What it reached stays what it was.

        Raises:
            ModelMismatch, SnapshotUnusable: see `manifest` and `commit`.
        """
        with self.lock:
            try:
                manifest = self.manifest()
            except NotFound:
                # A crash before the first manifest may have left files.
                if self._path.exists():
                    with self._faults():
                        self._delete_all_but(set())
                return 0
            anew = {
                name: self._rewritten_without(name, ids)
                for name in manifest.segments
                if np.isin(self._ids_in(name), ids).any()
            }
            names = [anew.get(name, name) for name in manifest.segments]
            # Committed even where nothing was found: a crash may have left files that no manifest
            # names, and they may hold these ids.
            kept = tuple(name for name in names if name is not None)
            self.commit(Manifest(manifest.reached, manifest.lists, kept))
        return len(anew)

    def _ids_in(self, name: str) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._read(f"{name}.ids")["ids"]
        return ids

    def _rewritten_without(self, name: str, ids: NDArray[np.int64]) -> str | None:
        old = self.read_segment(name)
        kept = ~np.isin(old.ids, ids)
        if not kept.any():
            return None
        entries = old.entries and Entries(old.entries.lists[kept], old.entries.codes[kept])
        return self.write_segment(
            SavedSegment(old.ids[kept], old.vectors[kept], old.scales[kept], entries)
        )

    def _write(self, name: str, arrays: dict[str, NDArray[Any]]) -> None:
        header = {key: (array.dtype.str, array.shape) for key, array in arrays.items()}
        plain = b"".join(
            [json.dumps(header).encode(), b"\n"]
            + [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
        )
        sealed = self._sealer.seal(plain, _context(name))
        with self._faults():
            self._path.mkdir(parents=True, exist_ok=True)
            _write_durably(self._path / name, sealed)

    def _read(self, name: str) -> dict[str, NDArray[Any]]:
        with self._faults():
            sealed = (self._path / name).read_bytes()
        plain = self._unsealed(sealed, name)
        start = plain.index(b"\n") + 1
        arrays: dict[str, NDArray[Any]] = {}
        for key, (kind, shape) in json.loads(plain[:start]).items():
            # Copied, so that an array that stays does not keep the whole file in memory.
            count = int(np.prod(shape))
            array = np.frombuffer(plain, np.dtype(kind), count, start).reshape(shape).copy()
            arrays[key] = array
            start += array.nbytes
        return arrays

    def _stated(self, body: bytes) -> dict[str, Any]:
        try:
            stated: dict[str, Any] = json.loads(body)
            version = stated["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._unusable(f"its {_MANIFEST} is damaged") from error
        if version != FORMAT:
            raise self._unusable(f"it has format {version} and not {FORMAT}")
        return stated

    def _unsealed(self, sealed: bytes, name: str, further_context: bytes = b"") -> bytes:
        try:
            return self._sealer.unseal(sealed, _context(name) + further_context)
        except LikenessError as error:
            raise self._unusable(f"{name} was changed or sealed with another key") from error

    def _unusable(self, why: str) -> SnapshotUnusable:
        return SnapshotUnusable(
            f"The index snapshot at {self._path} cannot be used: {why}. Delete the folder, and the"
            " index is made again from the rows."
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SnapshotUnusable(
                f"The index snapshot at {self._path} cannot be read and written ({error.strerror})."
                " Mend the folder or its disk; the rows still hold everything."
            ) from error


def _context(name: str) -> bytes:
    return f"likeness index snapshot {FORMAT} {name} ".encode()


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make_names_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
