"""Every command of the command line once, where it has something to do.

Each runs in a process of its own as a shell would start it, with whatever the shell has closed,
filled or left out; it is forked from one that has imported everything, `Runner`'s.
"""

import ctypes
import io
import json
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

_WATCHED = "--collection staff --purpose missing-persons --authority A --criteria C"
_SEARCHED = "--collection staff --authority A --criteria C --for 1h"

_REVIEWED = """
@id("looked-at")
@source("the house")
@effective("2020-01-01")
@obligation("review")
@amount("1")
forbid(principal, action == Action::"search", resource)
unless { context.reviews >= 1 };
"""
_HOUSE = """
title = "Ours"
jurisdiction = "everywhere"
status = "ours"
version = "1"
source = "the house"
reading = "A test."
effective = 2020-01-01
"""

# What is in braces is made by `make_world`.
COMMANDS = f"""
detect probe.png people/Rosa/one.png
detect clip.mp4
compare probe.png people/Rosa/one.png
identify --gallery people probe.png
identify --collection staff probe.png
identify --collection staff clip.mp4
redact probe.png --all -o hidden.png
redact clip.mp4 --all --style black -o hidden.mp4
cluster people probe.png
coverage people.csv --labels-only --out report
collections list
collections create guests
collections show staff
collections subjects staff
collections references staff
collections retention staff 30
collections delete staff --yes
collections sweep
collections verify certificate.json
collections certificates
collections cohort staff
collections re-embed staff people
enrol --collection staff --any-quality people
enrol --collection staff --any-quality --subject Bruno bruno.png
subjects rename Rosa Rosalind --collection staff
subjects merge Greta Rosa --collection staff
subjects split Rosa Other --collection staff
subjects move Rosa Greta --collection staff
subjects name Rosa --collection staff
subjects undo Rosa --collection staff
subjects check --collection staff
subject-report Rosa --collection staff
erase --collection staff Rosa --yes
export --collection staff --out staff.export --in-the-clear
import gone.export --collection copy
evaluate scores.csv --resamples 100 --out report
audit scores.csv --labels labels.csv --resamples 100 --out report
watch add probe.png {_WATCHED} --expires {{soon}}
watch list
watch end {{watch}}
sources add door clip.mp4
sources list
sources show gate
sources watch gate {_SEARCHED}
sources check gate
sources remove gate
jobs list
jobs show {{job}}
jobs cancel {{job}}
jobs stop {{job}}
review list
review show {{case}}
review decide {{case}} --verdict same --reason ears
review authorise {{case}} --authority A --number 1
review sweep
models list
models show dlib-resnet-v1
models pull dlib-resnet-v1
models bundle weights
models add tiny.onnx --name tiny --form arcface
models accept small --yes
models cohort crowd
models calibrate scores.csv --scores
keys create desk
keys list
keys disable patrol --yes
keys enable patrol
keys rotate patrol
keys password patrol --remove
policy list
policy show amazon-2020
policy enable amazon-2020
policy disable real-time
policy check house.cedar
policy explain
policy simulate --enable amazon-2020
policy suspend --all --reason audit
policy resume --all
report sign report.json --out card.json
report nist form.toml --document page.html --out nist.json
report verify signed.json --key key.pem
report show signed.json
report compare signed.json signed.json
report accept nist-card.json
report list
report revoke {{card}}
ledger verify
ledger checkpoint --out checkpoint
ledger receipt {{receipt}} --out receipt.json
ledger growth old-checkpoint --out growth
ledger show
ledger export --out entries
ledger key
ledger witness
ledger new-key --yes
ledger begin-anew --yes
ledger begin-anew --yes
secrets list
secrets rotate
config show
doctor
""".strip().splitlines()


@dataclass(frozen=True)
class Shell:
    """How a shell starts a command: where its streams lead, and what is around it."""

    stdin: str = "empty"
    stdout: str = "kept"
    stderr: str = "kept"
    nameless: bool = False
    bound_by_modes: bool = False
    largest_file: int | None = None


@dataclass(frozen=True)
class Ended:
    """What a command left behind: its code, what it said, and which files are new."""

    code: int
    out: str
    err: str
    new: list[str]


class Runner:
    """Runs commands in copies of a world, which it makes; one after the other.

    `folder` is a new one, and `standards` those of discs.
    """

    def __init__(self, folder: Path, standards: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.every_command", str(folder), str(standards)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdin and self._process.stdout
        self._ask, self._answers = self._process.stdin, self._process.stdout
        self.named: dict[str, str] = json.loads(self._answers.readline())

    def __call__(self, command: str, *more: str, shell: Shell = Shell()) -> Ended:
        """Run a command of `COMMANDS`, with more arguments."""
        arguments = [*command.format_map(self.named).split(), *more]
        print(
            json.dumps({"arguments": arguments, "shell": asdict(shell)}), file=self._ask, flush=True
        )
        return Ended(**json.loads(self._answers.readline()))

    def close(self) -> None:
        """End its process."""
        self._ask.close()
        self._process.wait(10)
        self._answers.close()


def _make_world(world: Path) -> dict[str, str]:
    """Fill a folder, and a home in it, and name what commands name in braces."""
    from datetime import UTC, datetime, timedelta

    import cv2
    import numpy as np

    from likeness.cli.terminal import command
    from likeness.service.evaluate.findings import to_json
    from tests.cli.conftest import BLUE, GREEN, RED
    from tests.cli.disc_clips import clip_of
    from tests.cli.test_evaluate import write_labels, write_scores
    from tests.cli.test_models import write_arcface
    from tests.service.evaluate.report_of_a_test import report
    from tests.service.evaluate.test_nist_form import FORM

    def picture(name: str, colour: tuple[int, ...], side: int = 160) -> None:
        pixels = np.full((side, side, 3), 128, np.uint8)
        cv2.circle(pixels, (side // 2, side // 2), side // 3, colour, -1)
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(name, pixels[..., ::-1])

    def run(line: str) -> Any:
        """Run a command, and give the document that it printed."""
        with redirect_stdout(io.StringIO()) as said:
            code = command.run(line.split())
        assert code in (0, 1), (line, code, said.getvalue())
        return json.loads(said.getvalue()) if "--json" in line else None

    os.chdir(world)
    picture("probe.png", RED)
    picture("bruno.png", BLUE)
    picture("people/Rosa/one.png", RED)
    picture("people/Rosa/two.png", RED, 170)
    picture("people/Greta.png", GREEN)
    clip_of(Path("clip.mp4"), [(RED, 0, 2, 100)], 2.0)
    colours = np.random.default_rng(6).integers(0, 256, (500, 3))
    strong = [colour for colour in colours if np.ptp(colour) > 150][:120]
    for person, colour in enumerate(strong):
        picture(f"crowd/{person}.png", tuple(int(value) for value in colour), 96)
    write_scores(Path("scores.csv"), people=5)
    write_labels(Path("labels.csv"), people=5)
    Path("people.csv").write_text("path,subject,sex\nprobe.png,Rosa,f\npeople/Greta.png,Greta,f\n")
    write_arcface(Path("tiny.onnx"))
    Path("report.json").write_bytes(to_json(report()))
    Path("page.html").write_bytes(b"what NIST published")
    Path("house.cedar").write_text(_REVIEWED)
    Path("house.toml").write_text(_HOUSE)

    run("collections create staff")
    run("enrol --collection staff --any-quality people --report said.csv")
    shown = run("collections show staff --json")
    today = datetime.now(UTC).date()
    published, soon = today.isoformat(), (today + timedelta(days=90)).isoformat()
    Path("form.toml").write_text(
        FORM.replace('"NAME"', json.dumps(shown["model"])).replace("2026-05-03", published)
    )
    watch = run(f"watch add probe.png {_WATCHED} --expires {soon} --json")["id"]
    run("identify --collection staff clip.mp4")
    job = run("jobs list --json")["jobs"][0]["id"]
    run("policy enable house.cedar")
    run("identify --collection staff probe.png")
    case = run("review list --json")["cases"][0]["id"]
    run("policy disable house")
    run("policy disable real-time")
    run("keys create patrol")
    run("sources add gate clip.mp4")
    run("models add tiny.onnx --name small --form arcface")
    run("ledger checkpoint --out old-checkpoint")
    run("report sign report.json --out signed.json")
    run("report nist form.toml --document page.html --out nist-card.json")
    card = run("report accept nist-card.json --json")["id"]
    Path("key.pem").write_text(run("ledger key --json")["pem"])
    run("collections create gone")
    run("export --collection gone --out gone.export --in-the-clear")
    run("collections delete gone --yes --certificate certificate.json")
    receipt = run("ledger show --last 1 --json")["entries"][0]["receipt"]
    return {
        "soon": soon,
        "watch": watch,
        "job": job,
        "case": case,
        "card": card,
        "receipt": receipt,
    }


def _start(world: Path, arguments: list[str], shell: Shell) -> NoReturn:
    """Become a command as a shell starts it."""
    from likeness.cli import main

    os.chdir(world)
    os.environ["LIKENESS_HOME"] = str(world / "home")
    for number, where in enumerate((shell.stdin, shell.stdout, shell.stderr)):
        _lead(number, where, world)
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))
    sys.argv = ["likeness", *arguments]
    if shell.nameless:
        os.environ.pop("HOME", None)
        pwd.getpwuid = _nobody
    if shell.bound_by_modes:
        _be_bound_by_modes()
    if shell.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (shell.largest_file,) * 2)
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    try:
        # As Python does when it exits; this is its code where that fails.
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        code = 120
    os._exit(code)


def _be_bound_by_modes() -> None:
    """Have the modes of files hold for this process, even if it is root's (capset(2))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, data) == 0
    data[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, data) == 0


def _nobody(number: int) -> Any:
    raise KeyError(number)


def _lead(number: int, where: str, world: Path) -> None:
    """Lead a stream to nowhere, a full disk, a reader that has left, or a file that is kept."""
    if where == "closed":
        os.close(number)
        return
    if where == "left":
        reads, writes = os.pipe()
        os.close(reads)
    else:
        path = {"full": "/dev/full", "empty": os.devnull}.get(where, f"{world}.{number}")
        writes = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.dup2(writes, number)
    os.close(writes)


def _stream(number: int) -> Any:
    """Give what Python makes of a stream when it starts."""
    try:
        os.fstat(number)
    except OSError:
        return None
    return open(number, "w" if number else "r", closefd=False)


def _files(folder: Path) -> set[str]:
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {path for path in files if not path.startswith("home/")}


def _run(made: Path, world: Path, arguments: list[str], shell: Shell) -> Ended:
    shutil.rmtree(world, ignore_errors=True)
    subprocess.run(["cp", "-a", made, world], check=True)  # pipes, too
    for number in (1, 2):
        Path(f"{world}.{number}").write_bytes(b"")
    before = _files(world)
    if (child := os.fork()) == 0:
        _start(world, arguments, shell)
    with _killed_after(child, 60):
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    out, err = (Path(f"{world}.{number}").read_text(errors="backslashreplace") for number in (1, 2))
    return Ended(code, out, err, sorted(_files(world) - before))


@contextmanager
def _killed_after(child: int, seconds: int) -> Iterator[None]:
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(seconds)
    yield
    signal.alarm(0)


def _serve(folder: Path, standards: Path) -> None:
    from likeness.cli import installation
    from tests.cli.conftest import InstallationWithDiscs

    installation.Installation = InstallationWithDiscs  # type: ignore[misc]
    InstallationWithDiscs.shipped = standards
    made, world = folder / "made", folder / "world"
    made.mkdir()
    for name in [name for name in os.environ if name.startswith("LIKENESS_")]:
        del os.environ[name]
    os.environ |= {
        "LIKENESS_PUBLISHER": "never",
        "LIKENESS_CROPS": "on",
        "LIKENESS_HOME": str(made / "home"),
        "LIKENESS_CACHE": str(folder / "cache"),
    }
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(_make_world(made)), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        ended = _run(made, world, asked["arguments"], Shell(**asked["shell"]))
        print(json.dumps(asdict(ended)), file=answers, flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), Path(sys.argv[2]))
