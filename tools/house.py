"""Prints how large the house is, and how far one request walks through it.

    python -m tools.house                  # every figure
    python -m tools.house --before REV     # and how many statements there were at a commit

It needs the weights (`likeness models pull`) for the figures of requests. Statements are counted in
the syntax tree, docstrings left out. A change of package is a call from one package's code into
another's; comprehensions are no calls.
"""

import argparse
import ast
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tools.main_flow import check_flow

_REPOSITORY = Path(__file__).parents[1]
_SRC = _REPOSITORY / "src"
_SMALL = 50
_RUNS = 7


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Verbatim)
    parser.add_argument("--before", metavar="REV", help="compare statements with this commit")
    parser.add_argument("--verbose", action="store_true", help="list files and changes of package")
    chosen = parser.parse_args()
    modules = _modules()
    now = sum(_statements(path.read_text()) for path in modules.values())
    print(f"statements in src: {now:,}" + (_compared(now, chosen.before) if chosen.before else ""))
    small = sorted(_small_files_of_one_importer(modules))
    _print("files under 50 lines that one other imports", len(small), 0)
    for name in small:
        print(f"    {name}")
    service = [p for p in (_SRC / "likeness" / "service").iterdir() if p.name != "__pycache__"]
    _print("entries at the top of service", len(service), 12)
    _print("import likeness, ms", _median_ms("import likeness"), 100)
    _print("likeness --help, ms", _median_ms(_HELP), 400)
    files, lines = check_flow()
    _print("files of the main flow, likeness identify", files, 20)
    _print("lines of the main flow", lines, 2500)
    _print_search(_traced_search(), verbose=chosen.verbose)


class _Verbatim(argparse.RawDescriptionHelpFormatter):
    pass


_HELP = """
import sys
from likeness.cli import main
sys.argv = ["likeness", "--help"]
main()
"""


def _print(what: str, figure: float, limit: float) -> None:
    verdict = "" if figure <= limit else f"   MISSED: at most {limit:g}"
    print(f"{what}: {figure:,.4g}{verdict}")


def _modules(root: Path = _SRC) -> dict[str, Path]:
    found = {}
    for path in root.rglob("*.py"):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def _statements(text: str) -> int:
    return sum(
        isinstance(node, ast.stmt) and not _is_text(node) for node in ast.walk(ast.parse(text))
    )


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _compared(now: int, revision: str) -> str:
    archive = subprocess.run(
        ["git", "archive", revision, "src"], cwd=_REPOSITORY, check=True, stdout=subprocess.PIPE
    ).stdout
    before = 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for file in files:
            if file.name.endswith(".py"):
                content = files.extractfile(file)
                assert content is not None
                before += _statements(content.read().decode())
    return f", {100 * (1 - now / before):.1f}% fewer than {before:,} at {revision}"


def _small_files_of_one_importer(modules: dict[str, Path]) -> Iterator[str]:
    importers = defaultdict(set)
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    importers[inner if inner in modules else node.module].add(name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    importers[alias.name].add(name)
    for name, path in modules.items():
        text = path.read_text()
        if (
            path.name not in ("__init__.py", "__main__.py")
            and len(text.splitlines()) < _SMALL
            and len(importers[name]) == 1
            and "(Protocol" not in text
        ):
            yield f"{name}, by {', '.join(importers[name])}"


def _median_ms(program: str) -> float:
    took = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL, env=_env()
        )
        took.append(1000 * (time.perf_counter() - began))
    empty = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True, env=_env())
        empty.append(1000 * (time.perf_counter() - began))
    return statistics.median(took) - statistics.median(empty)


def _env(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LIKENESS_") or name in ("LIKENESS_ARTIFACTS", "LIKENESS_CACHE")
    }
    return kept | {"PYTHONPATH": f"{_SRC}{os.pathsep}{_REPOSITORY}"} | more


def _traced_search() -> dict[str, Any]:
    """Record one warm SearchFacesByImage, of a face that is enrolled."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (process, client):
        pictures = _pictures(Path(folder))
        client.create_collection(CollectionId="people")
        for picture in pictures:
            client.index_faces(CollectionId="people", Image={"Bytes": picture})
        request = {"CollectionId": "people", "Image": {"Bytes": pictures[0]}}
        for _ in range(3):
            client.search_faces_by_image(**request)
        time.sleep(1)  # upkeep that follows enrolment is none of the search's
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        if not client.search_faces_by_image(**request)["FaceMatches"]:
            raise SystemExit("The face that was enrolled is not found. `make demo` shows more.")
        process.send_signal(signal.SIGUSR2)
        return _waited_for(Path(folder) / "recorded.json")


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.traced_server", str(folder / "recorded.json")],
        cwd=_REPOSITORY,
        env=_env(LIKENESS_HOME=str(folder / "home")),
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            if "=" in line:
                name, value = line.split()[-1].split("=", 1)
                said[name] = value
            if "AWS_ENDPOINT_URL_REKOGNITION" in said:
                break
        else:
            raise SystemExit("`likeness serve` did not start: " + (folder / "log").read_text())
        yield (
            process,
            boto3.client(
                "rekognition",
                endpoint_url=said["AWS_ENDPOINT_URL_REKOGNITION"],
                region_name="us-east-1",
                aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
            ),
        )
    finally:
        process.terminate()
        process.wait()


def _pictures(folder: Path) -> list[bytes]:
    """Take the demo's pictures, one of each person."""
    subprocess.run(
        [sys.executable, "-m", "likeness.demo"],
        cwd=folder,
        env=_env(LIKENESS_HOME=str(folder / "demo-home")),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return [path.read_bytes() for path in sorted((folder / "demo-out" / "gallery").glob("*.jpg"))]


def _waited_for(path: Path) -> dict[str, Any]:
    for _ in range(100):
        if path.exists():
            recorded: dict[str, Any] = json.loads(path.read_text())
            return recorded
        time.sleep(0.1)
    raise SystemExit(f"Nothing was recorded in {path}.")


def _print_search(recorded: dict[str, Any], *, verbose: bool) -> None:
    files = {file for file, *_ in recorded["calls"]}
    print("one warm SearchFacesByImage:")
    _print("  files", len(files), 60)
    _print("  functions", len(recorded["calls"]), float("inf"))
    _print("  changes of package", sum(count for *_, count in recorded["changes"]), 60)
    _print("  transactions", recorded["transactions"], 4)
    if verbose:
        for file in sorted(files):
            print(f"    {file}")
        for caller, called, count in sorted(recorded["changes"], key=lambda one: -one[2]):
            print(f"    {count:>3}  {caller} -> {called}")


if __name__ == "__main__":
    main()
