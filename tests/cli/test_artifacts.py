"""Where weights come from, at the command line: a folder, a bundle for another machine."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.app import Installation
from likeness.app.installation import BETTER, FALLBACK
from likeness.artifacts import PinnedFile, Sources
from likeness.artifacts.catalogue import CENTERFACE, DLIB_RESNET, SAMPLES
from likeness.config import Settings
from likeness.vision.models.cards import RETAIL_0095

from .conftest import Outcome

Command = Callable[..., Outcome]
Find = Callable[[PinnedFile], Path]
_REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [["models", "list"], ["models", "show", "centerface"]])
def test_a_missing_folder_is_one_line(
    likeness: Command, tmp_path: Path, command: list[str]
) -> None:
    outcome = likeness(*command, "--artifacts", tmp_path / "nowhere")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"likeness: There is no artifacts folder {tmp_path}/nowhere. Make it, or correct"
        " --artifacts or LIKENESS_ARTIFACTS.\n"
    )


def test_doctor_says_that_the_folder_is_missing_and_looks_at_the_rest(
    likeness: Command, tmp_path: Path
) -> None:
    outcome = likeness("doctor", "--artifacts", tmp_path / "nowhere")
    assert outcome.code == 2
    first, *others = outcome.out.splitlines()
    assert first.startswith("! artifacts folder: There is no artifacts folder")
    assert any("recogniser" in line for line in others)


def test_a_wrong_file_in_the_folder_is_an_error(likeness: Command, tmp_path: Path) -> None:
    for file in RETAIL_0095.files:
        (tmp_path / file.name).write_bytes(b"something else")
    outcome = likeness("models", "pull", BETTER.name, "--artifacts", tmp_path)
    assert (outcome.code, len(outcome.err.splitlines())) == (3, 1)
    assert f"{BETTER.source.name} is another file" in outcome.err
    assert f"artifacts folder {tmp_path}" in outcome.err
    assert "damaged" in likeness("models", "list", "--artifacts", tmp_path).out


def test_list_show_and_doctor_say_which_recogniser_it_is_and_why(likeness: Command) -> None:
    why = f"This uses {FALLBACK.name}, which misses"
    for command in (["models", "list"], ["models", "show", BETTER.name], ["doctor"]):
        assert why in " ".join(likeness(*command).out.split())
    assert json.loads(likeness("models", "list", "--json").out)["drawback"].startswith(why)
    details = json.loads(likeness("models", "show", BETTER.name, "--json").out)
    assert details["graph"]["file"] == BETTER.files[1].name
    assert details["lfw_fnmr"] == BETTER.lfw_fnmr


def test_weights_of_two_files_cannot_be_added(likeness: Command, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(b"<net/>")
    options = ["--name", "mine", "--form", "openvino-reid"]
    outcome = likeness("models", "add", tmp_path / "x.xml", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert "their weights and their graph are two files" in outcome.err


def test_a_bundle_does_not_go_among_other_files(likeness: Command, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").touch()
    outcome = likeness("models", "bundle", tmp_path / "out")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "holds something else, such as 'letter.txt'" in outcome.err
    (tmp_path / "file").touch()
    assert likeness("models", "bundle", tmp_path / "file" / "out").code == 2


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory, artifact: Find, sources: Sources) -> Path:
    """A bundle that the command wrote from what this machine has."""
    for file in (CENTERFACE, DLIB_RESNET, *SAMPLES):
        artifact(file)
    out = tmp_path_factory.mktemp("bundle") / "out"
    done = run_likeness(out.parent, sources, "models", "bundle", out)
    assert done.returncode == 0, done.stderr
    return out


def run_likeness(
    home: Path, sources: Sources, *arguments: object, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    program = "from likeness.cli import main; main()"
    return run_python(home, sources, "-c", program, *arguments, before=before)


def run_python(
    home: Path,
    sources: Sources,
    *arguments: object,
    before: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    stderr: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    kept = {name: at for name, at in os.environ.items() if not name.startswith("LIKENESS_")}
    settings = {
        **kept,
        "LIKENESS_HOME": str(home / "home"),
        "LIKENESS_CACHE": str(sources.cache),
        "LIKENESS_ARTIFACTS": str(sources.folder or ""),
        "LIKENESS_PUBLISHER": "never",
        "PYTHONPATH": os.pathsep.join([str(_REPOSITORY / "src"), str(_REPOSITORY)]),
        **(environment or {}),
    }
    return subprocess.run(
        [*before, sys.executable, *map(str, arguments)],
        env=settings,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.models
def test_a_bundle_says_what_it_holds_and_on_what_terms(bundled: Path) -> None:
    readme = (bundled / "README.md").read_text()
    sums = dict(
        reversed(line.split("  ")) for line in (bundled / "SHA256SUMS").read_text().splitlines()
    )
    files = {path.name for path in bundled.iterdir()} - {"README.md", "SHA256SUMS"}
    assert set(sums) == files
    assert {file.name for file in (CENTERFACE, *SAMPLES)} <= files
    for name, sha256 in sums.items():
        assert hashlib.sha256((bundled / name).read_bytes()).hexdigest() == sha256
        assert f"| {name} | " in readme
    for words in ("Star Clouds", "MIT", "White House", "NASA"):
        assert words in readme


@pytest.mark.models
def test_with_a_bundle_no_network_is_needed(
    bundled: Path, tmp_path: Path, without_network: tuple[str, ...]
) -> None:
    sources = Sources(tmp_path / "cache", bundled)

    out = tmp_path / "demo-out"
    demo = run_python(tmp_path, sources, "-m", "likeness.demo", out, before=without_network)
    assert (demo.returncode, demo.stderr) == (0, "")
    detected = run_likeness(
        tmp_path, sources, "detect", "--json", out / "group.jpg", before=without_network
    )
    assert detected.returncode == 0, detected.stderr
    assert len(json.loads(detected.stdout)["pictures"][0]["faces"]) == 3
    # Nothing was copied into the cache but networks made from the folder.
    assert not (tmp_path / "cache" / "artifacts").exists()


@pytest.mark.models
def test_the_better_recogniser_is_had_from_folder_or_cache(
    better_recogniser: list[Path], sources: Sources, tmp_path: Path
) -> None:
    apart = Sources(tmp_path / "cache", tmp_path / "artifacts")
    (tmp_path / "artifacts").mkdir()
    for path in better_recogniser:
        shutil.copy(path, tmp_path / "artifacts")
    done = run_likeness(tmp_path, apart, "models", "pull", BETTER.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{BETTER.name} is ready.\n", "")
    (network,) = (tmp_path / "cache" / "networks").iterdir()
    assert network.name.startswith(BETTER.name)


# Stands for a publisher: nobody's network is touched. What is run comes after it.
_REFUSING = "raise ConnectionRefusedError"
_HANGING = "import time; time.sleep(60)"
_PUBLISHER = """
import socket, sys
from pathlib import Path
def getaddrinfo(*_, **__):
    {does}
socket.getaddrinfo = getaddrinfo
"""
_DEMO = """
from likeness.demo.__main__ import main
sys.exit(main(Path(sys.argv[1])))
"""
_COMMAND = """
from likeness.cli import main
main()
"""


def keep_cohort(home: Path) -> None:
    """Let a home have a cohort for the better recogniser; nobody reads it here."""
    by_name = Installation(Settings(home=home, recogniser=BETTER.name))
    standards = home / "models" / "standards"
    standards.mkdir(parents=True)
    (standards / f"{by_name.model}.cohort.npz").touch()


@pytest.mark.slow
def test_who_sits_at_a_terminal_is_told_and_nobody_else_asks(tmp_path: Path) -> None:
    keep_cohort(tmp_path / "home")
    program = _PUBLISHER.format(does=_REFUSING) + _COMMAND
    said = []
    for number in range(3):
        # Before anybody sits at a terminal, nobody asks; the second time there, nobody asks again.
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb", 0) as screen:
            done = run_python(
                tmp_path,
                Sources(tmp_path / "cache"),
                *("-c", program, "collections", "create", f"staff-{number}"),
                environment={"LIKENESS_PUBLISHER": "asked"},
                stderr=theirs if number else subprocess.PIPE,
            )
            os.write(theirs, b".")
            os.close(theirs)
            said.append(screen.read(1 << 16).decode())
        assert done.returncode == 0
        assert f"{FALLBACK.name}@" in done.stdout
    failed = f"{BETTER.name} misses 0.88% and is not here (its publisher refused the connection"
    assert said[0] == "."
    assert said[1].startswith(f"Fetching {BETTER.name} (2.6 MB) from its publisher")
    assert failed in said[1]
    assert not said[2].startswith("Fetching")
    assert failed in said[2]


@pytest.mark.models
@pytest.mark.parametrize(
    ("does", "reason"),
    [(_REFUSING, "refused the connection"), (_HANGING, "did not answer within 5 s")],
    ids=["refusing", "hanging"],
)
def test_the_demonstration_does_without_the_publisher(
    bundled: Path, tmp_path: Path, does: str, reason: str
) -> None:
    artifacts = tmp_path / "artifacts"
    shutil.copytree(bundled, artifacts, ignore=shutil.ignore_patterns(f"{BETTER.name}.*"))
    keep_cohort(tmp_path / "home")
    program = _PUBLISHER.format(does=does) + _DEMO

    said = []
    for _ in range(2):
        demo = run_python(
            tmp_path,
            Sources(tmp_path / "cache", artifacts),
            *("-c", program, tmp_path / "demo-out"),
            environment={"LIKENESS_PUBLISHER": "asked"},
        )
        assert (demo.returncode, demo.stderr) == (0, "")
        assert f"{BETTER.name} misses 0.88% and is not here (its publisher {reason}" in demo.stdout
        said.append(f"Fetching {BETTER.name} (2.6 MB) from its publisher" in demo.stdout)
    assert said == [True, False]
