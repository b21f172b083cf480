"""What an endpoint answered so far: one line a call, on the disk before the next is asked.

An interrupted run, kill -9 included, asks nothing again that was answered; only calls that were on
their way have to be repeated. A last line that was half written is cut off. A journal belongs to
one endpoint; pictures are known by their digests, so that it serves any plan with the same ones.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import Conflict, InvalidRequest
from likeness.service.evaluate.systems.private_file import open_private

_FORMAT = "likeness-endpoint-journal/1"
_NAME = "calls.jsonl"
# What of an entry is numbers, in how many dimensions; all else is text.
_NUMBERS = {"score": 0, "s": 0, "faces": 0, "gender_confidence": 0, "age": 1, "found": 2}

Key = tuple[str, ...]
"""An operation, and what it was asked about."""
Entry = Mapping[str, Any]
"""What is kept of an answer; `found`, the candidates of a search, is (n, 2) float64 once read."""


class Journal:
    """Answers by key, in a folder that nobody else may read.

    Raises:
        Conflict: another run works with this folder.
        InvalidRequest: the folder cannot be used, belongs to another endpoint, or is damaged.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.path = folder / _NAME
        self._lock = threading.Lock()
        self._entries: dict[Key, Entry] = {}
        self._size = 0
        self._descriptor = open_private(self.path)
        try:
            self._claim()
            self._read(endpoint)
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Let another run work with it."""
        os.close(self._descriptor)

    def __contains__(self, key: Key) -> bool:
        """Say whether a call was answered."""
        return key in self._entries

    def __iter__(self) -> Iterator[tuple[Key, Entry]]:
        """Give all answers, the oldest first."""
        return iter(list(self._entries.items()))

    def get(self, key: Key) -> Entry | None:
        """Give what a call was answered."""
        return self._entries.get(key)

    def append(self, key: Key, entry: Entry) -> None:
        """Keep an answer; when this returns, it is on the disk.

        Raises:
            InvalidRequest: the disk takes no more.
        """
        line = json.dumps({"key": key, **entry}, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                self._write(line)
            except OSError as error:
                # Nobody may write on after half a line.
                os.ftruncate(self._descriptor, self._size)
                raise InvalidRequest(
                    f"The journal {str(self.path)!r} cannot be written ({error.strerror}). Make"
                    " room, and run the same command again to continue."
                ) from error
            self._entries[key] = _packed(entry)

    def _write(self, line: bytes) -> None:
        os.lseek(self._descriptor, self._size, os.SEEK_SET)
        left = line
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fsync(self._descriptor)
        self._size += len(line)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"Another run uses the journal {str(self.path)!r}. Wait for it, or name another"
                " folder."
            ) from error

    def _read(self, endpoint: str) -> None:
        with open(self._descriptor, "rb", closefd=False) as file:
            whole = 0
            faults: list[Key] = []
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break  # half written as the run was killed
                whole += len(line)
                if number == 1:
                    self._check_header(line, endpoint)
                    continue
                key, entry = self._parsed(line, number)
                self._entries.pop(key, None)
                self._entries[key] = entry
                if "fault" in entry:
                    faults.append(key)
                else:
                    faults.clear()
        # Since the last answer the endpoint failed: as likely as not it was down.
        for key in faults:
            self._entries.pop(key, None)
        os.ftruncate(self._descriptor, whole)
        self._size = whole
        if not whole:
            header = {"format": _FORMAT, "endpoint": endpoint}
            self._write(json.dumps(header).encode() + b"\n")

    def _check_header(self, line: bytes, endpoint: str) -> None:
        try:
            header = json.loads(line)
            known = header["format"] == _FORMAT
            whose = header["endpoint"]
        except (ValueError, KeyError, TypeError, RecursionError):
            known, whose = False, None
        if not known:
            raise InvalidRequest(
                f"Not a journal of this version: {str(self.path)!r}. Name another folder."
            )
        if whose != endpoint:
            raise InvalidRequest(
                f"The journal {str(self.path)!r} is of another endpoint ({whose!r:.100}). Name"
                " another folder."
            )

    def _parsed(self, line: bytes, number: int) -> tuple[Key, Entry]:
        try:
            entry = json.loads(line)
            key = entry.pop("key")
            if not (isinstance(key, list) and key and all(isinstance(one, str) for one in key)):
                raise TypeError
            _require_kinds(entry)
            entry = _packed(entry)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise InvalidRequest(
                f"The journal {str(self.path)!r} is damaged at line {number}. Delete that line;"
                " that call is asked again."
            ) from error
        return tuple(key), entry


def _require_kinds(entry: Entry) -> None:
    """See that what is known of an answer is what was written there, whoever gave the file.

    Raises:
        ValueError, TypeError: it is not.
    """
    for name, value in entry.items():
        if name not in _NUMBERS:
            right = isinstance(value, str)
        else:
            numbers = np.asarray(value)
            right = (
                numbers.dtype.kind in "iuf"
                and (numbers.ndim == _NUMBERS[name] or not numbers.size)
                and bool(np.isfinite(numbers).all() and (numbers >= 0).all())
            )
        if not right:
            raise TypeError(name)


def _packed(entry: Entry) -> Entry:
    """Hold candidates in a tenth of the memory: every pair of 4,000 pictures may be among them."""
    if "found" not in entry:
        return entry
    return {**entry, "found": np.array(entry["found"], np.float64).reshape(-1, 2)}
