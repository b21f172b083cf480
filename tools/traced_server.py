"""Runs `likeness serve` so that its calls can be recorded; `tools/house.py` starts it.

SIGUSR1 begins to record, SIGUSR2 writes what was recorded as JSON to the file that is named first.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event

import likeness
from likeness.cli import main

_SRC = str(Path(likeness.__file__).parent) + os.sep


class _Recorder:
    """Notes files, functions and changes of package, and counts database transactions."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._on = False
        self._calls: Counter[tuple[str, str, int]] = Counter()
        self._changes: Counter[tuple[str, str]] = Counter()
        self._transactions = 0

    def profile(self, frame: FrameType, what: str, _: Any) -> None:
        """Note a call of one of our functions."""
        if not self._on or what != "call" or not frame.f_code.co_filename.startswith(_SRC):
            return
        code, file = frame.f_code, _file_of(frame)
        if code.co_name.startswith("<") and code.co_name != "<lambda>":
            return  # comprehensions and generator expressions are no functions of ours
        self._calls[file, code.co_qualname, code.co_firstlineno] += 1
        caller: FrameType | None = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(_SRC):
            caller = caller.f_back
        if caller is not None and _package(_file_of(caller)) != _package(file):
            self._changes[_file_of(caller), file] += 1

    def began(self, _: object) -> None:
        """Count a transaction."""
        self._transactions += self._on

    def begin(self, *_: object) -> None:
        """Begin to record."""
        self._calls.clear()
        self._changes.clear()
        self._transactions, self._on = 0, True

    def end(self, *_: object) -> None:
        """Write what was recorded."""
        self._on = False
        recorded = {
            "calls": [[*what, count] for what, count in self._calls.items()],
            "changes": [[*what, count] for what, count in self._changes.items()],
            "transactions": self._transactions,
        }
        part = self._out.with_suffix(".part")
        part.write_text(json.dumps(recorded))
        part.replace(self._out)


def _file_of(frame: FrameType) -> str:
    return frame.f_code.co_filename.removeprefix(_SRC)


def _package(file: str) -> str:
    return Path(file).parts[0].removesuffix(".py")


if __name__ == "__main__":
    recorder = _Recorder(Path(sys.argv[1]))
    event.listen(Engine, "begin", recorder.began)
    signal.signal(signal.SIGUSR1, recorder.begin)
    signal.signal(signal.SIGUSR2, recorder.end)
    threading.setprofile(recorder.profile)
    sys.setprofile(recorder.profile)
    sys.argv = ["likeness", "serve", "--port", "0"]
    main()
