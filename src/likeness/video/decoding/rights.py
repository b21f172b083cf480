"""Gives up what decoding does not need, so that a clip that takes this process over gains little.

1. It dies when its parent does, and leaves no core.
2. It holds no capability, and can gain none by starting a program (`no_new_privs`).
3. It takes at most so much memory and processor time, and writes to no file.
4. It opens no file and makes no socket: no descriptor can be made any more (`RLIMIT_NOFILE`).
5. Landlock, where the kernel has it, forbids every path, every port, and signals to others.
6. Of the kernel's calls it has what decoding needs, and no other (`calls`).
"""

import ctypes
import mmap
import os
import resource
import signal
from typing import NamedTuple

from .calls import leave_calls

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION = 1
_CAPABILITY_VERSION_3 = 0x20080522
# How many rights over files each version of Landlock knows (linux/landlock.h): the first 13, then
# REFER, TRUNCATE, none, and IOCTL_DEV.
_RIGHTS_OVER_FILES = {1: 13, 2: 14, 3: 15, 4: 15}
_LATER_RIGHTS_OVER_FILES = 16
_RIGHTS_OVER_PORTS = 0b11  # from version 4 on: bind and connect
_SCOPES = 0b11  # from version 6 on: abstract sockets and signals
_libc = ctypes.CDLL(None, use_errno=True)


class Walls(NamedTuple):
    """What the kernel could do: which version of Landlock holds, 0 for none; whether `calls` do."""

    landlock: int
    calls: bool


def die_with(parent: int) -> None:
    """Have the kernel end this process when its parent's thread ends; end it if that is gone."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def give_up(memory: int, processor_s: int) -> Walls:
    """Give up all of the above; say which walls hold that not every kernel has.

    Args:
        memory: bytes of address space.
        processor_s: seconds of all threads together.
    """
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    landlock = _landlock()
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, processor_s),
        (resource.RLIMIT_NOFILE, 0),
    ):
        most = _at_most(most, resource.getrlimit(what)[1])
        resource.setrlimit(what, (most, most))
    _drop_capabilities()
    return Walls(landlock, leave_calls())


def shared_memory(descriptor: int, size: int) -> memoryview:
    """Map a file into memory. `mmap.mmap` would need a second descriptor for that."""
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    writes = mmap.PROT_READ | mmap.PROT_WRITE
    address = _libc.mmap(None, size, writes, mmap.MAP_SHARED, descriptor, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise MemoryError
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")


def _at_most(most: int, hard: int) -> int:
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("ports", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


def _landlock() -> int:
    """Forbid everything that Landlock knows of: a set of rules that allows nothing."""
    version: int = _libc.syscall(
        _SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION)
    )
    if version < 1:
        return 0
    rules = _Ruleset(
        files=(1 << _RIGHTS_OVER_FILES.get(version, _LATER_RIGHTS_OVER_FILES)) - 1,
        ports=_RIGHTS_OVER_PORTS if version >= 4 else 0,
        scopes=_SCOPES if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _libc.syscall(
        _SYS_LANDLOCK_CREATE_RULESET,
        ctypes.byref(rules),
        ctypes.c_size_t(size),
        ctypes.c_uint32(0),
    )
    if ruleset < 0:
        return 0
    held = _libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return version if held == 0 else 0


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _drop_capabilities() -> None:
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc.capset(ctypes.byref(header), ctypes.byref(nothing)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, value: int) -> None:
    unsigned = ctypes.c_ulong
    if _libc.prctl(option, unsigned(value), unsigned(0), unsigned(0), unsigned(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
