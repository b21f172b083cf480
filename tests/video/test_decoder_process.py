"""The process that decodes is heard and not believed, and never outlives its reader."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ClipTooLarge, EngineUnavailable, InvalidClip
from likeness.video import ClipLimits, ClipReader, Form, Sampling, clip_of, process, reading
from tests.video.clips import every, make_clip

pytestmark = pytest.mark.slow

_OPENED = {
    "kind": "opened",
    "container": "mov",
    "codec": "h264",
    "width": 64,
    "height": 36,
    "quarters": 0,
    "mirrored": False,
    "duration_s": 1.0,
    "frame_rate": 25.0,
    "stretched": False,
    "hdr": False,
    "interlaced": False,
    "full_range": False,
    "bits": 8,
}
_READY = b'{"kind":"ready"}\n'
_THUMBNAIL = bytes(64 * 36 * 3)


def line(**values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"


OPENED = _READY + line(**_OPENED)


def frame(**values: object) -> bytes:
    return line(kind="frame", **values) + _THUMBNAIL


def pretend(monkeypatch: pytest.MonkeyPatch, said: bytes, then: str = "") -> None:
    """Have another program run in its place, which says what a clip makes it say."""
    program = (
        "import fcntl, json, os, sys, time\n"
        "task = json.loads(sys.argv[1])\n"
        f"os.write(task['out'], {said!r})\n"
        f"{then}\n"
    )
    monkeypatch.setattr(process, "_PROGRAM", ("-c", program))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "a.mp4", times_s=every(0.04, 200))


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b'{"kind": []}\n',
        b"[" * 4000 + b"\n",
        b"x" * 10_000,
        b'{"kind": "ready", "n": ' + b"9" * 4000 + b"}\n" + OPENED,
        line(**_OPENED),
        _READY + line(**{**_OPENED, "width": 0}),
        _READY + line(**{**_OPENED, "width": -64}),
        _READY + line(**{**_OPENED, "width": 10**9, "height": 10**9}),
        _READY + line(**{**_OPENED, "width": 64.0}),
        _READY + line(**{**_OPENED, "width": True}),
        _READY + line(**{**_OPENED, "codec": "<script>"}),
        _READY + line(**{**_OPENED, "container": "a" * 1000}),
        _READY + line(**{**_OPENED, "quarters": 4}),
        _READY + line(kind="opened"),
        _READY + line(kind="failed", reason="because"),
        _READY + line(kind="failed", reason="too_large", width="1", height=1),
        OPENED + line(kind="opened"),
        OPENED + line(kind="passed", time_s=0.1) + line(kind="passed", time_s=0.1),
        OPENED + line(kind="passed", time_s="soon"),
        OPENED + frame(time_s=float("nan"), slot=None),
        OPENED + frame(time_s=float("inf"), slot=None),
        OPENED + frame(time_s=1e9, slot=None),
        OPENED + frame(time_s=-1.0, slot=None),
        OPENED + frame(time_s=0.0, slot=200),
        OPENED + frame(time_s=0.0, slot=-1),
        OPENED + frame(time_s=0.0, slot="0"),
        OPENED + frame(time_s=1.0, slot=None) + frame(time_s=1.0, slot=None),
        _READY + line(kind="failed", reason="lost", number="5"),
        OPENED + line(kind="ended", damaged=-1),
        OPENED + line(kind="ended", damaged="many"),
        OPENED + line(kind="ended"),
    ],
)
def test_what_makes_no_sense_ends_the_job(
    monkeypatch: pytest.MonkeyPatch, clip: Path, said: bytes
) -> None:
    pretend(monkeypatch, said, "time.sleep(60)")

    with pytest.raises(InvalidClip), clip.open("rb") as file, reading(file) as reader:
        for _ in reader:
            pass


@pytest.mark.parametrize("slot", [200, -1, "0", True, 0.0])
def test_no_planes_are_read_from_where_none_are(
    monkeypatch: pytest.MonkeyPatch, clip: Path, slot: object
) -> None:
    pretend(monkeypatch, OPENED + frame(time_s=0.0, slot=slot), "time.sleep(60)")

    with (
        pytest.raises(InvalidClip),
        clip.open("rb") as file,
        reading(file, form=Form.PLANES) as reader,
    ):
        next(reader)


@pytest.mark.parametrize(
    "meddling",
    [
        "fcntl.fcntl(task['ring'], fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)",
        "fcntl.fcntl(task['ring'], fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)",
    ],
)
def test_shared_memory_that_cannot_be_fixed_is_not_used(
    monkeypatch: pytest.MonkeyPatch, clip: Path, meddling: str
) -> None:
    pretend(monkeypatch, b"", f"{meddling}; os.write(task['out'], {OPENED!r}); time.sleep(60)")

    with pytest.raises(InvalidClip), clip.open("rb") as file, reading(file):
        pass


def test_shared_memory_does_not_shrink_under_its_reader(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    said = frame(time_s=0.0, slot=0)
    pretend(
        monkeypatch,
        OPENED,
        "os.read(task['slots_back'], 1)\n"
        "try: os.ftruncate(task['ring'], 0)\n"
        "except PermissionError: pass\n"
        f"os.write(task['out'], {said!r})\ntime.sleep(60)",
    )

    with clip.open("rb") as file, reading(file) as reader:
        image = next(reader).image

    assert image is not None
    assert image.pixels.shape == (36, 64, 3)


@pytest.mark.parametrize("claimed", ["1e300", "Infinity", "NaN", "-1.0", "1" + 400 * "0"])
def test_a_duration_that_no_clip_has_is_none(
    monkeypatch: pytest.MonkeyPatch, clip: Path, claimed: str
) -> None:
    said = OPENED.replace(b'"duration_s": 1.0', b'"duration_s": ' + claimed.encode())
    pretend(monkeypatch, said, "time.sleep(60)")
    with clip.open("rb") as file:
        assert clip_of(file).duration_s is None


def test_pictures_are_copied_out_of_shared_memory(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    said = (
        frame(time_s=0.0, slot=0)
        + frame(time_s=0.1, slot=0)
        + line(kind="ended", damaged=0, to_its_end=True)
    )
    opened = _READY + line(**{**_OPENED, "width": 1, "height": 2, "mirrored": True})
    pretend(monkeypatch, opened, f"os.read(task['slots_back'], 1)\nos.write(task['out'], {said!r})")
    with clip.open("rb") as file, reading(file) as reader:
        images = [one.image for one in reader]
        pixels = [one.pixels for one in images if one is not None]
    assert len(pixels) == 2
    assert all(one.base is None or one.base.base is None for one in pixels)
    assert not any(np.shares_memory(pixels[0], one) for one in pixels[1:])


def test_one_that_never_takes_its_slots_back_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    pretend(
        monkeypatch,
        OPENED,
        "for n in range(100_000):\n"
        "    told = json.dumps({'kind': 'frame', 'time_s': n / 1000, 'slot': 0})\n"
        f"    os.write(task['out'], told.encode() + b'\\n' + {_THUMBNAIL!r})\n"
        "time.sleep(60)",
    )

    with (
        pytest.raises(InvalidClip, match="astray"),
        clip.open("rb") as file,
        reading(file) as reader,
    ):
        list(reader)


def test_one_that_talks_slowly_is_as_stuck_as_one_that_is_silent(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    pretend(monkeypatch, _READY, "while True: os.write(task['out'], b' '); time.sleep(0.05)")
    begun = time.monotonic()

    with pytest.raises(InvalidClip, match="stuck"), clip.open("rb") as file:
        clip_of(file, ClipLimits(silence_s=0.5))

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "then",
    [
        "time.sleep(60)",  # it hangs
        # It passes over what nobody asked for.
        "for at in range(200):\n"
        ' os.write(task[\'out\'], b\'{"kind":"passed","time_s":%d.0}\\n\' % at)\n'
        " time.sleep(0.2)",
    ],
)
def test_who_waits_for_a_frame_is_asked_whether_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, clip: Path, then: str
) -> None:
    pretend(monkeypatch, OPENED, then)
    ends_s = time.monotonic() + 3

    def stop() -> None:
        if time.monotonic() > ends_s:
            raise TimeoutError

    with (
        pytest.raises(TimeoutError),
        clip.open("rb") as file,
        reading(file, go_on=stop) as reader,
    ):
        list(reader)
    assert time.monotonic() < ends_s + 10


def test_sleep_between_frames_does_not_go_on_for_ever(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    said = frame(time_s=0.0, slot=None)
    pretend(monkeypatch, OPENED, f"time.sleep(1)\nos.write(task['out'], {said!r})\ntime.sleep(60)")
    limits = ClipLimits(max_s=0.05)  # which allows ten times as much
    with (
        pytest.raises(InvalidClip, match="takes too long"),
        clip.open("rb") as file,
        reading(file, limits=limits) as reader,
    ):
        list(reader)


def test_a_disk_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, clip: Path) -> None:
    pretend(monkeypatch, OPENED + line(kind="failed", reason="lost", number=5))

    with (
        pytest.raises(InvalidClip, match="Input/output error"),
        clip.open("rb") as file,
        reading(file) as reader,
    ):
        list(reader)


def test_many_open_files_are_no_hindrance(clip: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("this machine allows few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
    try:
        with clip.open("rb") as file, reading(file) as reader:
            assert len(list(reader)) == 200
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_gets_no_environment_and_no_descriptor_but_its_own(
    monkeypatch: pytest.MonkeyPatch, clip: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIKENESS_SECRET", "hidden")
    found = tmp_path / "found"
    pretend(
        monkeypatch,
        _READY,
        "mine = {0, 1, 2, task['clip'], task['out'], task['slots_back'], task['ring']}\n"
        "others = [n for n in range(1024) if n not in mine and os.path.exists(f'/dev/fd/{n}')]\n"
        "kinds = [os.readlink(f'/dev/fd/{n}') for n in (0, 1, 2)]\n"
        "reads = fcntl.fcntl(task['clip'], fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY\n"
        f"open({str(found)!r}, 'w').write(json.dumps([dict(os.environ), others, kinds, reads]))\n",
    )

    with pytest.raises(InvalidClip), clip.open("r+b") as file:
        clip_of(file)

    environment, others, kinds, reads_alone = json.loads(found.read_text())
    assert set(environment) <= {
        *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "LC_CTYPE", "MALLOC_ARENA_MAX"),
        "LD_LIBRARY_PATH",
    }
    assert others == []
    assert kinds == ["/dev/null"] * 3
    assert reads_alone


def test_one_that_does_not_start_is_no_fault_of_the_clip(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    monkeypatch.setattr(process, "_PROGRAM", ("-c", "raise SystemExit(1)"))

    with pytest.raises(EngineUnavailable, match="does not start"), clip.open("rb") as file:
        clip_of(file)


def test_without_pyav_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(EngineUnavailable, match=r"pip install 'likeness\[video\]'"):
        clip_of(io.BytesIO(clip.read_bytes()))


@contextmanager
def begun(clip: Path, **limits: float) -> Iterator[tuple[ClipReader, int]]:
    """A clip of which one frame was read, and the number of the process that decodes it."""
    wanted = ClipLimits(**limits)  # type: ignore[arg-type]
    with clip.open("rb") as file, reading(file, Sampling(), wanted) as reader:
        next(reader)
        yield reader, reader._process._process.pid


def ended(pid: int, within_s: float = 5) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def large(tmp_path: Path) -> Path:
    """A clip whose frames do not all fit into what is decoded ahead."""
    return make_clip(tmp_path / "large.mp4", times_s=every(0.04, 60), size=(1280, 720))


def test_its_death_fails_the_job_and_nothing_else(tmp_path: Path, clip: Path) -> None:
    with begun(large(tmp_path)) as (reader, pid), begun(clip) as (other, _):
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(InvalidClip, match="Killed"):
            list(reader)
        assert len(list(other)) == 199


def test_one_that_is_stuck_is_ended(tmp_path: Path) -> None:
    with begun(large(tmp_path), silence_s=5) as (reader, pid):
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(InvalidClip, match=r"no frame came for 5 s"):
            list(reader)
    assert ended(pid)


def test_it_ends_where_nobody_reads_on(tmp_path: Path) -> None:
    with begun(large(tmp_path)) as (_, pid):
        pass

    assert ended(pid)


def test_it_dies_with_a_reader_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from likeness.video import reading\n"
        "with open(sys.argv[1], 'rb') as file, reading(file) as reader:\n"
        "    next(reader)\n"
        "    print(reader._process._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = large(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    assert ended(int(done.stdout))


def test_a_clip_that_needs_more_memory_than_there_may_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises((ClipTooLarge, InvalidClip)), begun(large(tmp_path), memory=150 << 20):
        pass


def test_many_are_read_at_once(clip: Path) -> None:
    counts: list[int] = []

    def read() -> None:
        with clip.open("rb") as file, reading(file) as reader:
            counts.append(len(list(reader)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts == [200] * 4


def test_nothing_stays_open(clip: Path) -> None:
    def descriptors() -> int:
        return len([*Path("/proc/self/fd").iterdir()])

    with clip.open("rb") as file:
        clip_of(file)
        before = descriptors()
        for _ in range(3):
            with reading(file) as reader:
                next(reader)
        assert descriptors() == before
