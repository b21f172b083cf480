"""Runs `likeness` and records the calls of its code; `tools/house.py` starts it.

python -m tools.traced OUT.json serve --port 0      # SIGUSR1 begins to record, SIGUSR2 ends
python -m tools.traced OUT.json identify ...        # the whole command is recorded
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

Step = tuple[str, str]
"""A file below src/likeness, and the qualified name of a function in it."""


class _Recorder:
    """Notes who calls whom, and counts database transactions."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._on = False
        self._calls: Counter[tuple[Step | None, Step]] = Counter()
        self._transactions = 0

    def profile(self, frame: FrameType, what: str, _: Any) -> None:
        """Note a call of one of our functions, and which of ours it came from."""
        if not self._on or what != "call" or not _is_ours(frame):
            return
        caller = frame.f_back
        while caller is not None and not _is_ours(caller):
            caller = caller.f_back
        self._calls[None if caller is None else _step(caller), _step(frame)] += 1

    def began(self, _: object) -> None:
        """Count a transaction."""
        self._transactions += self._on

    def begin(self, *_: object) -> None:
        """Begin to record."""
        self._calls.clear()
        self._transactions, self._on = 0, True

    def end(self, *_: object) -> None:
        """Write what was recorded."""
        self._on = False
        calls = [[caller, called, count] for (caller, called), count in self._calls.items()]
        part = self._out.with_suffix(".part")
        part.write_text(json.dumps({"calls": calls, "transactions": self._transactions}))
        part.replace(self._out)


def _is_ours(frame: FrameType) -> bool:
    # Comprehensions and generator expressions are no functions of ours.
    code = frame.f_code
    return code.co_filename.startswith(_SRC) and (
        code.co_name == "<lambda>" or not code.co_name.startswith("<")
    )


def _step(frame: FrameType) -> Step:
    return frame.f_code.co_filename.removeprefix(_SRC), frame.f_code.co_qualname


if __name__ == "__main__":
    recorder = _Recorder(Path(sys.argv[1]))
    event.listen(Engine, "begin", recorder.began)
    threading.setprofile(recorder.profile)
    sys.setprofile(recorder.profile)
    sys.argv = ["likeness", *sys.argv[2:]]
    if sys.argv[1] == "serve":
        signal.signal(signal.SIGUSR1, recorder.begin)
        signal.signal(signal.SIGUSR2, recorder.end)
        main()
    else:
        recorder.begin()
        try:
            main()
        finally:
            recorder.end()
