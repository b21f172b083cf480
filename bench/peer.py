"""Ask a peer, in a process and an environment of its own (`.venv-bench`), to do the same work."""

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.figure import NotMeasured
from bench.workplace import REPOSITORY
from likeness.errors import required

PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"
_PACKAGES = ("dlib-bin", "face_recognition", "face_recognition_models")
SCRIPTS = Path(__file__).parent / "peers"


class Peer:
    """A script of `peers/` that stays to answer; it idles between requests."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            # Deprecations inside a peer's packages are not ours to show.
            [python(), "-W", "ignore", str(SCRIPTS / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            NotMeasured: the peer ended instead.
        """
        requests = required(self._process.stdin, "the peer's standard input")
        answers = required(self._process.stdout, "the peer's standard output")
        try:
            requests.write(json.dumps(request) + "\n")
            requests.flush()
        except BrokenPipeError:
            pass  # it ended; so says the missing answer
        line = answers.readline()
        if not line:
            raise NotMeasured(
                f"the peer ended with exit code {self._process.wait()}: remove .venv-bench and run"
                " `make bench` again"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        """Use the peer until the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the peer."""
        self._process.kill()
        self._process.communicate()


def python() -> str:
    """The peers' Python.

    Raises:
        NotMeasured: the peers are not installed.
    """
    if not PYTHON.exists():
        raise NotMeasured("the peers' environment .venv-bench is not here: `make bench` makes it")
    return str(PYTHON)


def peer_versions() -> str:
    """What is measured against, with versions."""
    code = (
        "from importlib.metadata import version;"
        f" print(', '.join(f'{{name}} {{version(name)}}' for name in {_PACKAGES}))"
    )
    printed = subprocess.run([python(), "-c", code], capture_output=True, text=True, check=False)
    if printed.returncode:
        raise NotMeasured(
            "the peers' environment .venv-bench is not whole: remove it and run `make bench` again"
        )
    return printed.stdout.strip()
