"""Seccomp: no sockets, no new processes, no signals to and no looks into other processes."""

import ctypes
import errno
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from darkroom.processor.engines.kernel.libc import call, give_up_new_privileges


@dataclass(frozen=True, slots=True)
class _Table:
    """A machine's number, its `clone`, and the calls that are refused whatever they ask."""

    architecture: int
    clone: int
    refused: tuple[int, ...]


# Numbers from the kernel's tables. Refused are socket, connect, execve, execveat, ptrace,
# process_vm_readv, process_vm_writev and kill; x86 also has fork and vfork.
_TABLES: Final[Mapping[str, _Table]] = {
    "x86_64": _Table(0xC000003E, 56, (41, 42, 59, 322, 101, 310, 311, 62, 57, 58)),
    "aarch64": _Table(0xC00000B7, 220, (198, 203, 221, 281, 117, 270, 271, 129)),
}
# Its flags lie behind a pointer, where no filter can look. Told that there is no such call, the C
# library takes `clone`.
_CLONE3: Final = 435
# With this flag a clone is a thread: HEIC's decoder wants one, and it stays inside all fences.
_IS_THREAD: Final = 0x10000
# Calls of the x32 table, which would slip past the numbers above.
_X32: Final = 0x40000000

_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_HAS_BIT: Final = 0x45
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_DENY_KNOWING: Final = 0x00050000 | errno.ENOSYS
_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4
_FIRST_ARGUMENT_AT: Final = 16


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
    table = _TABLES.get(platform.machine())
    if table is None:
        raise OSError(errno.ENOSYS, f"no table of calls for {platform.machine()}")
    instructions = _instructions(table)
    lines = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), lines)
    give_up_new_privileges()
    call("prctl", _SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)


def _instructions(table: _Table) -> list[_Instruction]:
    """Write the filter; jumps count the lines between, so targets are given as line numbers."""
    checks_at = 8
    allow = checks_at + len(table.refused)
    refuse, deny_knowing = allow + 1, allow + 2

    def jump(line: int, code: int, value: int, *, yes: int, no: int | None = None) -> _Instruction:
        otherwise = line + 1 if no is None else no
        return _Instruction(code, yes - line - 1, otherwise - line - 1, value)

    return [
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE_AT),
        jump(1, _EQUAL, table.architecture, yes=2, no=refuse),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        jump(3, _AT_LEAST, _X32, yes=refuse),
        jump(4, _EQUAL, _CLONE3, yes=deny_knowing),
        jump(5, _EQUAL, table.clone, yes=6, no=checks_at),
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        jump(7, _HAS_BIT, _IS_THREAD, yes=allow, no=refuse),
        *(jump(checks_at + at, _EQUAL, n, yes=refuse) for at, n in enumerate(table.refused)),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _REFUSE),
        _Instruction(_RETURN, 0, 0, _DENY_KNOWING),
    ]
