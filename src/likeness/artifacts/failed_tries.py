"""Remember for a day that a publisher could not be had, so that nothing is slow twice."""

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FailedTry:
    """When a publisher was asked in vain, and what came of it, such as "did not answer"."""

    at: datetime
    reason: str

    def __str__(self) -> str:
        """Put it into words that follow a file's or a model's name."""
        return f"its publisher {self.reason} on {self.at:%Y-%m-%d at %H:%M} UTC"


def failed_try(cache_dir: Path, host: str, now: datetime) -> FailedTry | None:
    """Recall a try of the last day; what cannot be read, or lies ahead of us, is none."""
    try:
        written = json.loads(_path(cache_dir, host).read_bytes())
        failed = FailedTry(datetime.fromtimestamp(written["at"], UTC), str(written["reason"]))
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    recent = timedelta(0) <= now - failed.at < _REMEMBERED
    return failed if recent and failed.reason.isprintable() else None


def remember(cache_dir: Path, host: str, failed: FailedTry) -> None:
    """Write a failed try down; a cache that cannot be written just does not remember."""
    content = json.dumps({"at": failed.at.timestamp(), "reason": failed.reason}).encode()
    path = _path(cache_dir, host)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as unfinished:
            try:
                unfinished.write(content)
                unfinished.flush()
                Path(unfinished.name).replace(path)
            except BaseException:
                Path(unfinished.name).unlink(missing_ok=True)
                raise


def forget(cache_dir: Path, host: str) -> None:
    """Forget a failed try: the publisher has answered."""
    with suppress(OSError):
        _path(cache_dir, host).unlink(missing_ok=True)


def _path(cache_dir: Path, host: str) -> Path:
    return cache_dir / "failed-tries" / f"{host}.json"
