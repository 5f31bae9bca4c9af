"""Locks a process up: from then on it computes, reads what it has open and writes there, and nothing else.

Memory and processor time are limited, no file can grow, nothing is left of a crash; and a seccomp filter refuses every
call to the kernel that isn't one of a few: no file is opened, no socket made, no program started, no other process
touched. What is refused fails as forbidden, so that a library may go without it. Needs no rights. design/hub.md,
"Sharing", media process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys

from sealcam.wire.errors import SealcamError

_SET_NO_NEW_PRIVS, _SET_PDEATHSIG = 38, 1  # linux/prctl.h
_SET_FILTER, _ALL_THREADS = 1, 1  # linux/seccomp.h
_ALLOW, _KILL = 0x7FFF0000, 0x80000000  # linux/seccomp.h
_FORBIDDEN, _UNKNOWN = 0x00050000 | 1, 0x00050000 | 38  # an errno: EPERM; ENOSYS, after which libraries try another
_NR, _ARCH, _FIRST = 0, 4, 16  # where number, architecture and first argument stand in what a filter looks at
_LOAD, _EQUAL, _LEAST, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_THREAD = 0x00010000  # CLONE_THREAD: a thread of this process, and no process
_CLONE3 = 435  # its flags can't be seen from a filter
_X32 = 0x40000000  # numbers from here on are another table's

# Of each processor its name in the filter, the numbers of seccomp(2) and clone(2), and of the calls that are left
# (asm/unistd.h): brk clock_gettime clock_nanosleep close exit exit_group fstat futex getpid getrandom getrusage gettid
# gettimeofday lseek madvise mmap mprotect mremap munmap nanosleep poll/ppoll read readv restart_syscall rseq
# rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sigaltstack sysinfo uname write writev
_X86 = "12 228 230 3 60 231 5 202 39 318 98 186 96 8 28 9 10 25 11 35 7 271 0 19 219 334 13 14 15 204 24 131 99 63 1 20"
_ARM = (
    "214 113 115 57 93 94 80 98 172 278 165 178 169 62 233 222 226 216 215 101 73 63 65 128 293 134 135 139 123 124 "
    "132 179 160 64 66"
)
_CALLS: dict[str, tuple[int, int, int, str]] = {
    "x86_64": (0xC000003E, 317, 56, _X86),
    "aarch64": (0xC00000B7, 277, 220, _ARM),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class CageError(SealcamError):
    """This machine can't lock a process up."""


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Bound memory and processor time of this process, let no file grow, leave no core, end with its
    parent, and give way to others."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(PermissionError):  # a service may be kept from that; it is no wall
        os.nice(10)


def lock() -> None:
    """Refuse this process every call but those that computing needs; can't be undone.

    Raises:
        CageError: the kernel has no such filters, or this processor's table isn't known here.
    """
    known = _CALLS.get(platform.machine())
    if sys.byteorder != "little" or known is None:
        raise CageError("this machine's processor isn't one that can be locked up")
    arch, seccomp, clone, calls = known
    code = program(arch, clone, tuple(int(call) for call in calls.split()))
    filtering = _Program(len(code) // 8, code)
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _call("syscall", seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(filtering))


def program(arch: int, clone: int, calls: tuple[int, ...]) -> bytes:
    """The filter's code: of another architecture nothing, of this one `calls`, and `clone` for threads."""
    count = len(calls)
    lines = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_LEAST, count + 2, 0, _X32),
        (_EQUAL, count + 2, 0, clone),
        (_EQUAL, count + 4, 0, _CLONE3),
        *((_EQUAL, count - at + 4, 0, call) for at, call in enumerate(calls)),
        (_RETURN, 0, 0, _FORBIDDEN),
        (_LOAD, 0, 0, _FIRST),
        (_SET, 2, 0, _THREAD),
        (_RETURN, 0, 0, _FORBIDDEN),
        (_RETURN, 0, 0, _UNKNOWN),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _prctl(option: int, value: int) -> None:
    _call("prctl", option, value, 0, 0, 0)


def _call(name: str, *values: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*(ctypes.c_ulong(one) if isinstance(one, int) else one for one in values)) != 0:
        raise CageError(f"the kernel doesn't let a process be locked up: {os.strerror(ctypes.get_errno())}")
