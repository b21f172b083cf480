"""Templates that an interrupted evaluation keeps, one line a picture, so that it can go on.

They lie in a folder that nobody else may read (mode 0700), in the clear, until the report is
written; `remove` takes them away. A picture is known by its bytes, so they serve any plan.
"""

import base64
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import Conflict, InvalidRequest
from likeness.service.evaluate.systems.private_file import open_private

_FORMAT = "likeness-kept-templates/1"


@dataclass(frozen=True, slots=True, eq=False)
class KeptTemplate:
    """What came of one picture: a vector (d,) float32 and its mean, or why there is none."""

    seconds: float
    vector: NDArray[np.float32] | None
    mean: float = 0.0
    failure: str = ""


class KeptTemplates:
    """What came of pictures, by their SHA-256, of one model and cohort.

    Raises:
        Conflict: another run works with this file.
        InvalidRequest: the folder or file cannot be used.
    """

    def __init__(self, folder: Path, model: str, cohort_version: str) -> None:
        name = base64.b32encode(f"{model} {cohort_version}".encode()).decode().lower()
        self.path = folder / f"templates-{name.rstrip('=')[-40:]}.jsonl"
        self._head = {"format": _FORMAT, "model": model, "cohort": cohort_version}
        self._known: dict[str, KeptTemplate] = {}
        self._file = os.fdopen(open_private(self.path), "r+b", buffering=0)
        try:
            self._claim()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def get(self, sha256: str) -> KeptTemplate | None:
        """Give what came of a picture; None where it has not been worked on."""
        return self._known.get(sha256)

    def add(self, sha256: str, kept: KeptTemplate) -> None:
        """Keep what came of a picture."""
        line: dict[str, Any] = {"sha256": sha256, "seconds": kept.seconds}
        if kept.vector is None:
            line["failure"] = kept.failure
        else:
            packed = kept.vector.astype("<f4").tobytes()
            line |= {"mean": kept.mean, "vector": base64.b64encode(packed).decode()}
        self._file.write(json.dumps(line).encode() + b"\n")
        self._known[sha256] = kept

    def close(self) -> None:
        """Let another run work with it."""
        self._file.close()

    def remove(self) -> None:
        """Take the file away, and the folder if nothing else is in it."""
        self.path.unlink(missing_ok=True)
        self.close()
        if not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"Another evaluation works in {str(self.path.parent)!r}. Wait until it ends, or"
                " name another folder."
            ) from error

    def _read(self) -> None:
        """Read what an earlier run kept; what was half written is cut off and done again."""
        end = 0
        lengths = set[int]()
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            for number, line in enumerate(lines):
                known = _read_line(line, self._head if number == 0 else None)
                if known is None:
                    break
                lengths |= {len(one.vector) for one in known.values() if one.vector is not None}
                if len(lengths) > 1:
                    break
                end += len(line)
                self._known |= known
        if end == 0 and self._file.seek(0, os.SEEK_END):
            raise InvalidRequest(
                f"{str(self.path)!r} holds no templates of this model. Remove it, or name another"
                " folder to work in."
            )
        self._file.truncate(end)
        self._file.seek(end)
        if end == 0:
            self._file.write(json.dumps(self._head).encode() + b"\n")


def _read_line(line: bytes, head: dict[str, str] | None) -> dict[str, KeptTemplate] | None:
    """Give what a line keeps; None where it is not whole."""
    try:
        if not line.endswith(b"\n"):
            return None
        read = json.loads(line)
        if head is not None:
            return {} if read == head else None
        if "failure" in read:
            return {
                str(read["sha256"]): KeptTemplate(
                    float(read["seconds"]), None, failure=str(read["failure"])
                )
            }
        vector = np.frombuffer(base64.b64decode(read["vector"], validate=True), "<f4")
        mean = float(read["mean"])
        if not np.isfinite(vector).all() or not np.isfinite(mean):
            return None
        return {
            str(read["sha256"]): KeptTemplate(
                float(read["seconds"]), vector.astype(np.float32), mean
            )
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
