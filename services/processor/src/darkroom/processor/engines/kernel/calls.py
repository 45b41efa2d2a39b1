"""Seccomp: no sockets, no new processes, no signals to and no looks into other processes."""

import ctypes
import errno
import platform
from collections.abc import Mapping
from typing import Final

from darkroom.processor.engines.kernel.libc import call, give_up_new_privileges

# Numbers from the kernel's tables: socket, connect, execve, execveat, clone, clone3, ptrace,
# process_vm_readv, process_vm_writev, kill; x86 also has fork and vfork.
_REFUSED: Final[Mapping[str, tuple[int, tuple[int, ...]]]] = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 56, 57, 58, 435, 101, 310, 311, 62)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 220, 435, 117, 270, 271, 129)),
}
# Calls of the x32 table, which would slip past the numbers above.
_X32: Final = 0x40000000

_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("start", ctypes.POINTER(_Instruction)))


def refuse_calls() -> None:
    """Fence this process for good; on other machines than the two listed, say so."""
    if platform.machine() not in _REFUSED:
        raise OSError(errno.ENOSYS, f"no table of calls for {platform.machine()}")
    instructions = _instructions(*_REFUSED[platform.machine()])
    lines = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), lines)
    give_up_new_privileges()
    call("prctl", _SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)


def _instructions(architecture: int, refused: tuple[int, ...]) -> list[_Instruction]:
    """Compare the call's number with each refused one; a match jumps to the last line."""
    count = len(refused)
    checks = [_Instruction(_EQUAL, count - at, 0, number) for at, number in enumerate(refused)]
    return [
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE_AT),
        _Instruction(_EQUAL, 0, count + 3, architecture),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        _Instruction(_AT_LEAST, count + 1, 0, _X32),
        *checks,
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _REFUSE),
    ]
