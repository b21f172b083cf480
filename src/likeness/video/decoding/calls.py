"""Leaves of the kernel's calls what decoding needs (seccomp): every other one fails.

Limits and Landlock do not know of all: without a file, a process could still split and outlive
whoever ends it, change modes of files, lower the limits of the user's other processes, keep memory
that nobody frees, or have files and sockets inside io_uring, where no descriptor is counted.
"""

import ctypes
import errno
import os
import struct

_SECCOMP_SET_MODE_FILTER = 1
_FOR_ALL_THREADS = 1
_ALLOW = 0x7FFF_0000
_KILL = 0x8000_0000
# As if there were no such call: C libraries then use an older one, or do without.
_MISSING = 0x0005_0000 | errno.ENOSYS

# Of `struct seccomp_data`: the call's number, the processor's kind, the low half of an argument.
_NUMBER, _KIND, _ARGUMENT = 0, 4, 16
# Classic BPF: load a word; jump if it equals, or if bits are set; return.
_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06

_CLONE_THREAD = 0x10000
_PR_SET_NAME = 15

# Numbers on x86-64 and on 64-bit ARM.
_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "close": (3, 57),
    "fstat": (5, 80),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getcpu": (309, 168),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_CLONE, _PRCTL, _PRLIMIT, _TGKILL = (56, 220), (157, 167), (302, 261), (234, 131)
_SECCOMP = (317, 277)
# The place in the pairs above, and the kernel's word for the processor (linux/audit.h).
_PROCESSORS = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def leave_calls() -> bool:
    """Leave this process the calls above alone, for ever; say whether the kernel can do that.

    It has to have given up to gain rights before (`no_new_privs`).
    """
    known = _PROCESSORS.get(os.uname().machine)
    if known is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    which, kind = known
    steps = _steps(which, kind)
    held = ctypes.create_string_buffer(steps)
    program = _Program(len(steps) // 8, ctypes.addressof(held))
    done: int = ctypes.CDLL(None).syscall(
        ctypes.c_long(_SECCOMP[which]),
        ctypes.c_uint(_SECCOMP_SET_MODE_FILTER),
        ctypes.c_uint(_FOR_ALL_THREADS),
        ctypes.byref(program),
    )
    return done == 0


def _steps(which: int, kind: int) -> bytes:
    """Write the filter: jumps say how many steps are passed over where a test holds, and not."""
    steps = [_step(_LOAD, _KIND), _step(_EQUAL, kind, 1, 0), _step(_RETURN, _KILL)]
    steps.append(_step(_LOAD, _NUMBER))
    for numbers in _CALLS.values():
        steps += [_step(_EQUAL, numbers[which], 0, 1), _step(_RETURN, _ALLOW)]
    for numbers, test, value in (
        (_CLONE, _BITS, _CLONE_THREAD),  # threads end with the process
        (_PRCTL, _EQUAL, _PR_SET_NAME),
        (_PRLIMIT, _EQUAL, 0),  # its own limits, which never grow
        (_TGKILL, _EQUAL, os.getpid()),  # to abort
    ):
        steps += [
            _step(_EQUAL, numbers[which], 0, 4),
            _step(_LOAD, _ARGUMENT),
            _step(test, value, 0, 1),
            _step(_RETURN, _ALLOW),
            _step(_RETURN, _MISSING),
        ]
    steps.append(_step(_RETURN, _MISSING))
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
