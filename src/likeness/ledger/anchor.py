"""What a home keeps of its ledger outside of the database: the last signed head that it saw.

A ledger whose rows are gone looks like one that never began, and an older copy like the newest.
What tells them apart lies in a file of the home, `ledger/ID.anchor`: which database it is of, the
public key, and the last signed head. There is one for each database that the home has had.

1. It is written after the commit, so it never says more than the database held.
2. It has 512 bytes, a sector of a disk, and is written in place: a program that is killed, or a
   power cut, leaves the whole of the former or of the new one. A write costs some microseconds, and
   waits for no disk; after a power cut it may say less than it did, which is true as well.
3. It only grows: of programs that share a home, none writes less than another has.
4. It is no secret, and proves nothing by itself: whoever writes the home can put an older one here.
   A checkpoint that is kept elsewhere cannot be reached so.
"""

import base64
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.proofs import SignedCheckpoint, decoded, read_checkpoint
from likeness.secrets import VerifyingKey

_logger = logging.getLogger(__name__)

_FIRST_LINE = "likeness ledger anchor 1"
_SECTOR_BYTES = 512
_KEY_BYTES = 32
BEGIN_ANEW = "`likeness ledger begin-anew` goes on without it, and the next entry says so"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last head that a home saw of a ledger: `database` stands for where its rows are."""

    database: str
    key: VerifyingKey
    note: str
    signed: SignedCheckpoint

    @property
    def size(self) -> int:
        """How many entries there were."""
        return self.signed.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root of their tree."""
        return self.signed.checkpoint.root


class AnchorFiles:
    """The anchors of a home; `database` names where its rows are, and is not kept as it is."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = sha256(database.encode()).hexdigest()[:32]
        self._told = False

    def path(self, origin: str) -> Path:
        """Say where the anchor of a ledger is."""
        return self._folder / f"{origin.rpartition('/')[2]}.anchor"

    def find(self, origin: str) -> Anchor | None:
        """Read the anchor of a ledger; None where this home knows none of it.

        Raises:
            LedgerBroken: it is damaged, or the database is another than the one that was here.
        """
        anchor = self.read(self.path(origin), origin)
        if anchor is not None:
            return anchor
        for path in sorted(self._folder.glob("*.anchor")):
            other = None
            with suppress(LedgerBroken):  # a damaged one of another ledger says nothing of this
                other = self.read(path)
            if other is not None and other.database == self._database:
                raise AnotherDatabase.of(other)
        return None

    def former(self, origin: str) -> Anchor | None:
        """Read the anchor of a ledger, or of the one that its database has had before it.

        None where there is neither, or it is damaged.
        """
        try:
            return self.find(origin)
        except AnotherDatabase as error:
            return error.anchor
        except LedgerBroken:
            return None

    def read(self, path: Path, origin: str | None = None) -> Anchor | None:
        """Read an anchor; None where there is none.

        Raises:
            LedgerBroken: it is damaged, or of another ledger than `origin`.
        """
        try:
            with path.open("rb") as file:
                content = file.read(2 * _SECTOR_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LedgerBroken(
                f"'{path}', which says how long the ledger was, cannot be read"
                f" ({error.strerror}). Mend its permissions."
            ) from error
        anchor = _parsed(content)
        if anchor is None or origin not in (None, anchor.signed.checkpoint.origin):
            raise LedgerBroken(
                f"'{path}', which says how long the ledger was, is damaged. Restore it from a"
                f" backup; {BEGIN_ANEW}."
            )
        return anchor

    def keep(self, origin: str, key: bytes, note: str, size: int, *, anew: bool = False) -> None:
        """Keep a head, unless a longer one is kept; `anew` lets it be shorter.

        Where it cannot be written, a line in the log says so: what was recorded stays recorded.
        """
        path = self.path(origin)
        content = _written(self._database, key, note)
        try:
            if not anew and path.exists():
                with _locked(path) as file:
                    kept_size = _size_in(os.pread(file, _SECTOR_BYTES, 0))
                    # One that is damaged stays, so that it is seen.
                    if kept_size is not None and kept_size < size:
                        os.pwrite(file, content, 0)
            else:
                _make(path, content)
        except OSError as error:
            if not self._told:
                self._told = True
                _logger.warning(
                    "%s cannot be written (%s): this home will not notice if the ledger is cut"
                    " off, or its rows are gone",
                    path,
                    error.strerror,
                )


class AnotherDatabase(LedgerBroken):
    """Where a home had a ledger there is a database that is new, or another."""

    anchor: Anchor | None = None

    @classmethod
    def of(cls, anchor: Anchor) -> "AnotherDatabase":
        """Say of which ledger the home's anchor is."""
        error = cls(
            f"This home had a ledger of {anchor.size} entries, {anchor.signed.checkpoint.origin},"
            f" and its database is another one, or new. Restore that database; {BEGIN_ANEW}."
        )
        error.anchor = anchor
        return error


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _make(path: Path, content: bytes) -> None:
    """Make a file, whole and on the disk, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _written(database: str, key: bytes, note: str) -> bytes:
    said = f"{database}\n{base64.b64encode(key).decode()}\n{note}"
    content = f"{_FIRST_LINE}\n{_checksum(said)}\n{said}".encode()
    return content.ljust(_SECTOR_BYTES, b"\n")


def _checksum(said: str) -> str:
    return sha256(said.encode()).hexdigest()[:16]


def _size_in(content: bytes) -> int | None:
    """Read how many entries an anchor says there were, without a look at its signature."""
    lines = content.split(b"\n", 6)
    return int(lines[5]) if len(lines) > 6 and lines[5].isdigit() else None


def _parsed(content: bytes) -> Anchor | None:
    """Read an anchor's bytes; None where they are none, or the head is not signed by the key."""
    try:
        _, _, database, encoded, note = content.decode().split("\n", 4)
        key, note = decoded(encoded), note.rstrip("\n") + "\n"
        if len(key) != _KEY_BYTES:
            return None
        signed = read_checkpoint(note)
        anchor = Anchor(database, VerifyingKey(key), note, signed)
        good = signed.is_signed_by(anchor.key) and _written(database, key, note) == content
    except (ValueError, InvalidRequest):
        return None
    return anchor if good else None
