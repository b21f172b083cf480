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
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from likeness.errors import required
from tools.main_flow import flow_of

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
    with tempfile.TemporaryDirectory() as folder:
        search, identify = _recorded(Path(folder))
    files, lines = flow_of(identify)
    _print("files of the main flow, likeness identify", files, 20)
    _print("lines of the main flow", lines, 2500)
    _print_search(search, verbose=chosen.verbose)


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
                content = required(files.extractfile(file), f"what {file.name} holds")
                before += _statements(content.read().decode())
    return f", {100 * (1 - now / before):.1f}% fewer than {before:,} at {revision}"


def _small_files_of_one_importer(modules: dict[str, Path]) -> Iterator[str]:
    trees = {name: ast.parse(path.read_text()) for name, path in modules.items()}
    # A package's `__init__` is its door: who takes a name there imports the module behind it.
    behind = {
        f"{name}.{alias.asname or alias.name}": node.module
        for name, tree in trees.items()
        if modules[name].name == "__init__.py"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    importers = defaultdict(set)
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    module = inner if inner in modules else behind.get(inner) or node.module or ""
                    if not (modules[name].name == "__init__.py" and module.startswith(name)):
                        importers[module].add(name)
    for name, path in modules.items():
        lines = path.read_text().splitlines()
        if (
            path.name not in ("__init__.py", "__main__.py")
            and len(lines) < _SMALL
            and len(importers[name]) == 1
            and not any(line.endswith("(Protocol):") for line in lines)
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


def _recorded(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Record one warm SearchFacesByImage of an enrolled face, and one `likeness identify`."""
    pictures = _pictures(folder)
    with _server(folder) as (process, client):
        client.create_collection(CollectionId="people")
        for picture in pictures:
            client.index_faces(CollectionId="people", Image={"Bytes": picture.read_bytes()})
        request = {"CollectionId": "people", "Image": {"Bytes": pictures[0].read_bytes()}}
        for _ in range(3):
            client.search_faces_by_image(**request)
        # Upkeep works beside it now and then: the shortest of several is the search alone.
        searches = [_recorded_search(process, client, request, folder) for _ in range(_RUNS)]
        search = min(searches, key=lambda one: len(one["calls"]))
    command = ["identify", str(pictures[0]), "--collection", "people"]
    out = folder / "identify.json"
    subprocess.run(
        [sys.executable, "-m", "tools.traced", str(out), *command],
        cwd=_REPOSITORY,
        env=_env(LIKENESS_HOME=str(folder / "home")),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return search, _waited_for(out)


def _recorded_search(
    process: subprocess.Popen[str], client: Any, request: dict[str, Any], folder: Path
) -> dict[str, Any]:
    client.search_faces_by_image(**request)  # rules and keys are looked at twice a second
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.05)
    if not client.search_faces_by_image(**request)["FaceMatches"]:
        raise SystemExit("The face that was enrolled is not found. `make demo` shows more.")
    process.send_signal(signal.SIGUSR2)
    return _waited_for(folder / "recorded.json")


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tools.traced", str(folder / "recorded.json")),
            *("serve", "--port", "0"),
        ],
        cwd=_REPOSITORY,
        env=_env(LIKENESS_HOME=str(folder / "home")),
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        text=True,
    )
    try:
        said: dict[str, str] = {}
        for line in required(process.stdout, "the server's standard output"):
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


def _pictures(folder: Path) -> list[Path]:
    """Take the demo's pictures, one of each person."""
    subprocess.run(
        [sys.executable, "-m", "likeness.demo"],
        cwd=folder,
        env=_env(LIKENESS_HOME=str(folder / "demo-home")),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return sorted((folder / "demo-out" / "gallery").glob("*.jpg"))


def _waited_for(path: Path) -> dict[str, Any]:
    for _ in range(100):
        if path.exists():
            recorded: dict[str, Any] = json.loads(path.read_text())
            path.unlink()
            return recorded
        time.sleep(0.1)
    raise SystemExit(f"Nothing was recorded in {path}.")


def _print_search(recorded: dict[str, Any], *, verbose: bool) -> None:
    functions = {tuple(called) for _, called, _ in recorded["calls"]}
    files = {file for file, _ in functions}
    changes: Counter[tuple[str, str]] = Counter()
    for caller, called, count in recorded["calls"]:
        if caller is not None and _package(caller[0]) != _package(called[0]):
            changes[caller[0], called[0]] += count
    print("one warm SearchFacesByImage:")
    _print("  files", len(files), 60)
    _print("  functions", len(functions), float("inf"))
    _print("  changes of package", changes.total(), 60)
    _print("  transactions", recorded["transactions"], 4)
    if verbose:
        for file in sorted(files):
            print(f"    {file}")
        for (caller, called), count in changes.most_common():
            print(f"    {count:>3}  {caller} -> {called}")


def _package(file: str) -> str:
    return Path(file).parts[0].removesuffix(".py")


if __name__ == "__main__":
    main()
