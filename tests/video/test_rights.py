"""What a clip could still do that took the process over that decodes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import likeness.video

pytestmark = pytest.mark.slow

_FOLDER = str(Path(likeness.video.__file__).parent)
_PROBES = """
import ctypes, json, os, platform, resource, signal, socket, sys, threading
from decoding.rights import give_up

writable, machine = int(sys.argv[1]), platform.machine()
walls = give_up(1 << 30, 60)

def outcome(act):
    try:
        act()
    except (OSError, MemoryError, ValueError) as error:
        return type(error).__name__
    return "done"

def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "call")

def split():
    if os.fork() == 0:
        os._exit(0)

# A ring without a descriptor (6.5 on): its memory is the caller's, and a number of its own.
ring = (ctypes.c_uint32 * 30)(0, 0, 1 << 14 | 1 << 15)
memory = ctypes.create_string_buffer(3 << 12)
at = -(-ctypes.addressof(memory) // 4096) * 4096
ctypes.memmove(ctypes.addressof(ring) + 72, ctypes.byref(ctypes.c_uint64(at)), 8)
ctypes.memmove(ctypes.addressof(ring) + 112, ctypes.byref(ctypes.c_uint64(at + 4096)), 8)
libc = ctypes.CDLL(None, use_errno=True)
other = int(sys.argv[3])
more = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
print(json.dumps({
    "landlock": walls.landlock,
    "calls": walls.calls,
    "read": outcome(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    "list": outcome(lambda: os.listdir("/")),
    "create": outcome(lambda: os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY)),
    "remove": outcome(lambda: os.unlink(sys.argv[2] + ".there")),
    "rename": outcome(lambda: os.rename(sys.argv[2] + ".there", sys.argv[2])),
    "folder": outcome(lambda: os.mkdir(sys.argv[2])),
    "socket": outcome(lambda: socket.socket()),
    "unix socket": outcome(lambda: socket.socket(socket.AF_UNIX)),
    "pipe": outcome(os.pipe),
    "copy of a descriptor": outcome(lambda: os.dup(1)),
    "memory file": outcome(lambda: os.memfd_create("x")),
    "write": outcome(lambda: os.write(writable, b"x")),
    "signal": outcome(lambda: os.kill(other, 0)),
    "own signal": outcome(lambda: signal.raise_signal(signal.SIGURG)),
    "thread": outcome(lambda: threading.Thread(target=int).start()),
    "process": outcome(split),
    "process by another call": outcome(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "mode": outcome(lambda: os.chmod(sys.argv[2] + ".there", 0o777)),
    "limits of another": outcome(lambda: resource.prlimit(other, resource.RLIMIT_CORE, (0, 0))),
    "priority of another": outcome(lambda: os.setpriority(os.PRIO_PROCESS, other, 10)),
    "shared memory": outcome(lambda: call({"x86_64": 29, "aarch64": 194}[machine], 0, 4096, 0o600)),
    "ring": outcome(lambda: call(425, 4, ring)),
    "program": outcome(lambda: os.execv("/bin/true", ["true"])),
    "more files": outcome(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, more)),
    "more memory": outcome(lambda: resource.setrlimit(resource.RLIMIT_AS, more)),
    "user": outcome(lambda: os.setuid(65534)) if os.getuid() == 0 else "PermissionError",
    "memory": outcome(lambda: bytearray(2 << 30)),
}))
"""


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("probed")
    (folder / "new.there").touch()
    writable = os.open(folder / "written", os.O_CREAT | os.O_RDWR)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBES, str(writable), str(folder / "new"), str(os.getpid())],
            env={"PYTHONPATH": _FOLDER},
            pass_fds=[writable],
            capture_output=True,
            check=True,
        )
    finally:
        os.close(writable)
    assert sorted(path.name for path in folder.iterdir()) == ["new.there", "written"]
    assert (folder / "written").stat().st_size == 0
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize(
    "act",
    [
        *("read", "list", "create", "socket", "unix socket", "pipe"),
        *("copy of a descriptor", "memory file", "write"),
    ],
)
def test_no_file_can_be_opened_or_written_and_no_socket_made(
    probed: dict[str, str], act: str
) -> None:
    assert probed[act] in ("OSError", "PermissionError")


@pytest.mark.parametrize("act", ["more files", "more memory", "user"])
def test_no_right_comes_back(probed: dict[str, str], act: str) -> None:
    assert probed[act] in ("OSError", "PermissionError", "ValueError")


def test_memory_is_limited(probed: dict[str, str]) -> None:
    assert probed["memory"] == "MemoryError"


@pytest.mark.parametrize("act", ["remove", "rename", "folder", "program"])
def test_landlock_forbids_paths_that_need_no_descriptor(probed: dict[str, str], act: str) -> None:
    if not probed["landlock"]:
        pytest.skip("this kernel has no Landlock")
    assert probed[act] in ("OSError", "PermissionError")


def test_landlock_forbids_signals(probed: dict[str, str]) -> None:
    if int(probed["landlock"]) < 6:
        pytest.skip("this kernel's Landlock knows no signals")
    assert probed["signal"] in ("OSError", "PermissionError")


@pytest.mark.parametrize(
    "act",
    [
        *("remove", "rename", "folder", "program", "mode", "signal", "process", "ring"),
        "process by another call",
        *("limits of another", "priority of another", "shared memory"),
    ],
)
def test_calls_that_need_no_descriptor_are_gone(probed: dict[str, str], act: str) -> None:
    if not probed["calls"]:
        pytest.skip("this kernel, or this processor, has no filter of calls")
    assert probed[act] == "OSError"


@pytest.mark.parametrize("act", ["own signal", "thread"])
def test_what_decoding_needs_is_left(probed: dict[str, str], act: str) -> None:
    assert probed[act] == "done"
