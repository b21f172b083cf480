"""Clips that people send piece by piece, and copies that are made of them.

    FOLDER/OWNER/ID.part     a clip of which pieces are still coming
    FOLDER/OWNER/ID          a whole clip
    FOLDER/copies/JOB        what a job has written: a copy in which faces are hidden

An owner's folder is named by a digest of who they are, a clip by a number that is drawn. Nobody but
the account of the server may read any of it. What no job needs goes within an hour or so.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from likeness import jobs
from likeness.errors import BucketsUnavailable, Conflict, InvalidRequest, LimitReached, NotFound
from likeness.jobs import JobState
from likeness.secrets import Keyring
from likeness.service.uses import Rows
from likeness.service.video.asked import ClipAct, UploadedClip, read_request

MOST_AT_ONCE = 8 << 20
"""How many bytes a piece has at most."""

_AN_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_PART = ".part"
_COPIES = "copies"
_A_LIST = 100_000


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much there may be: of one clip, of one person's, of all; and what stays free."""

    clip_bytes: int = 4 << 30
    own_bytes: int = 16 << 30
    all_bytes: int = 64 << 30
    free_bytes: int = 2 << 30
    own_clips: int = 100
    unneeded_s: float = 3600.0


class Uploads:
    """The folder of clips that were sent; safe to share between threads."""

    def __init__(self, root: Path, limits: UploadLimits = UploadLimits()) -> None:
        """Name the folder, which is made when the first clip comes."""
        self._root = root
        self.limits = limits

    def begin(self, principal_id: str, clip_bytes: int) -> str:
        """Make room for a clip of so many bytes; gives its id.

        Raises:
            InvalidRequest: it is empty.
            LimitReached: it is too large, or there is no room for it.
            BucketsUnavailable: the folder cannot be written.
        """
        if clip_bytes <= 0:
            raise InvalidRequest("The file is empty. Choose a clip.")
        clip_id = secrets.token_hex(16)
        with _faults():
            folder = self._made(self._folder(principal_id))
            if sum(1 for _ in folder.iterdir()) >= self.limits.own_clips:
                raise LimitReached(
                    f"{self.limits.own_clips} clips of yours are kept already. Remove one first."
                )
            self._require_room(folder, clip_bytes, clip_bytes)
            (folder / f"{clip_id}{_PART}").touch(0o600)
        return clip_id

    def add(self, principal_id: str, clip_id: str, offset: int, piece: bytes) -> None:
        """Take a piece of a clip; one that came before may come again.

        Raises:
            NotFound: no such clip of theirs is coming.
            Conflict: pieces before it are missing.
            LimitReached: there is no room for it.
            BucketsUnavailable: the folder cannot be written.
        """
        part = self._part(principal_id, clip_id)
        with _faults():
            there = part.stat().st_size
            if not 0 <= offset <= there:
                raise Conflict(f"A piece is missing: {there} bytes came so far. Send it again.")
            more = max(0, offset + len(piece) - there)
            self._require_room(part.parent, more, offset + len(piece))
            with part.open("r+b") as file:
                file.seek(offset)
                file.write(piece)

    def finish(self, principal_id: str, clip_id: str, clip_bytes: int, called: str) -> UploadedClip:
        """Take a clip as whole; `called` is what its owner calls it.

        Raises:
            NotFound: no such clip of theirs came.
            Conflict: pieces of it are missing.
            BucketsUnavailable: the folder cannot be written.
        """
        whole = self._folder(principal_id) / _checked(clip_id)
        with _faults():
            if not whole.exists():
                part = self._part(principal_id, clip_id)
                there = part.stat().st_size
                if there != clip_bytes:
                    raise Conflict(
                        f"{there} of {clip_bytes} bytes of the clip came. Choose it again."
                    )
                part.rename(whole)
            os.utime(whole)
        return UploadedClip(whole, called)

    def copy_path(self, job_id: str) -> Path:
        """Name the file of a job's copy, whether it is there or not."""
        return self._root / _COPIES / job_id

    def place_for_copy(self, job_id: str) -> Path:
        """Say where a job writes its copy; the folder is made.

        Raises:
            BucketsUnavailable: it cannot be made.
        """
        copy = self.copy_path(job_id)
        with _faults():
            self._made(copy.parent)
        return copy

    def open_copy(self, job_id: str) -> BinaryIO:
        """Open the copy that a job has written.

        Raises:
            NotFound: there is none any more.
        """
        try:
            return self.copy_path(job_id).open("rb")
        except OSError as error:
            raise NotFound("The copy is not kept any more. Make it again.") from error

    def sweep(self, needed: Callable[[], Collection[Path]]) -> int:
        """Delete what is not among the files that are needed; says how many that were.

        What was written a moment ago stays: the job that needs it may be about to begin.
        """
        past_s = time.time() - self.limits.unneeded_s
        files = [one for one, status in self._files() if status.st_mtime < past_s]
        if not files:
            return 0
        kept = needed()
        gone = [one for one in files if one not in kept]
        for one in gone:
            one.unlink(missing_ok=True)
        return len(gone)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Give every file with its status; those that go meanwhile are passed over."""
        for folder in sorted(self._root.iterdir()) if self._root.is_dir() else ():
            for one in sorted(folder.iterdir()):
                try:
                    status = one.stat()
                except FileNotFoundError:
                    continue
                yield one, status

    def _folder(self, principal_id: str) -> Path:
        return self._root / hashlib.sha256(principal_id.encode()).hexdigest()[:32]

    def _made(self, folder: Path) -> Path:
        self._root.mkdir(0o700, parents=True, exist_ok=True)
        folder.mkdir(0o700, exist_ok=True)
        return folder

    def _part(self, principal_id: str, clip_id: str) -> Path:
        part = self._folder(principal_id) / f"{_checked(clip_id)}{_PART}"
        if not part.is_file():
            raise _no_such_clip()
        return part

    def _require_room(self, folder: Path, more: int, clip_bytes: int) -> None:
        limits = self.limits
        if clip_bytes > limits.clip_bytes:
            raise LimitReached(
                f"Too large: a clip may have at most {limits.clip_bytes >> 20} MiB here. Cut it"
                " into pieces, or put it into a bucket."
            )
        sizes = [(one.parent == folder, status.st_size) for one, status in self._files()]
        own = sum(size for is_own, size in sizes if is_own)
        if own + more > limits.own_bytes:
            raise LimitReached(
                f"Your clips would take more than {limits.own_bytes >> 30} GiB. Remove some first."
            )
        every = sum(size for _, size in sizes)
        if every + more > limits.all_bytes or (
            shutil.disk_usage(self._root).free - more < limits.free_bytes
        ):
            raise LimitReached("The server has no room for this clip. Tell whoever runs it.")


def sweep_uploads(rows: Rows, uploads: Uploads) -> int:
    """Delete the clips and copies that no job needs any more; says how many those were.

    A job needs its clip until it has failed, was cancelled or is deleted.
    """
    read = partial(_needed, keyring=rows.keyring, uploads=uploads)
    return uploads.sweep(lambda: rows.database.read(read))


def remove_clip(rows: Rows, clip: UploadedClip) -> None:
    """Delete a clip at once.

    Raises:
        Conflict: a job that has not ended needs it.
        BucketsUnavailable: it cannot be deleted.
    """

    def is_read(connection: Connection) -> bool:
        return any(
            not state.ended and one == clip.file
            for state, one in _clips_of_jobs(connection, rows.keyring)
        )

    if rows.database.read(is_read):
        raise Conflict("A job is looking at this clip. Cancel it first, or wait until it ends.")
    with _faults():
        clip.file.unlink(missing_ok=True)


def _needed(connection: Connection, keyring: Keyring, uploads: Uploads) -> set[Path]:
    ended_badly = (JobState.FAILED, JobState.CANCELLED)
    clips = {one for state, one in _clips_of_jobs(connection, keyring) if state not in ended_badly}
    listed = jobs.list_jobs(connection, keyring, limit=_A_LIST)
    copies = {
        uploads.copy_path(one.id)
        for one in listed
        if one.act == ClipAct.REDACT and one.state not in ended_badly
    }
    return clips | copies


def _clips_of_jobs(connection: Connection, keyring: Keyring) -> Iterator[tuple[JobState, Path]]:
    acts = set(ClipAct)
    for one in jobs.list_jobs(connection, keyring, limit=_A_LIST):
        if one.act in acts and not one.local:
            place = read_request(jobs.request_of(connection, keyring, one.id)).asked.place
            if isinstance(place, UploadedClip):
                yield one.state, place.file


def _checked(clip_id: str) -> str:
    if not _AN_ID.fullmatch(clip_id):
        raise _no_such_clip()
    return clip_id


def _no_such_clip() -> NotFound:
    return NotFound("This clip is not here any more. Choose it again.")


@contextmanager
def _faults() -> Iterator[None]:
    """Word what the disk says."""
    try:
        yield
    except FileNotFoundError as error:
        raise _no_such_clip() from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LimitReached(
                "The server's disk is full. Tell whoever runs it, and try again."
            ) from error
        raise BucketsUnavailable(
            f"The folder of clips that were sent cannot be used ({error.strerror}). Check it."
        ) from error
