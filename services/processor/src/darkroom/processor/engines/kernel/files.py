"""Landlock: from here on only libraries can be read, and only the scratch folder written."""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

from darkroom.processor.engines.kernel.libc import call, give_up_new_privileges

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_PATH_BENEATH: Final = 1

_EXECUTE, _WRITE, _READ, _LIST, _REMOVE, _MAKE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
# All thirteen rights of the interface's first version are fenced.
_ALL: Final = (1 << 13) - 1
_LIBRARY: Final = _EXECUTE | _READ | _LIST
_SCRATCH: Final = _READ | _LIST | _WRITE | _REMOVE | _MAKE
_SYSTEM: Final = ("/usr", "/lib", "/lib64")


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def restrict_files(*, writable: Path) -> None:
    """Fence this process and all it may start."""
    handled = ctypes.c_uint64(_ALL)
    size = ctypes.c_size_t(ctypes.sizeof(handled))
    ruleset = call("syscall", _CREATE_RULESET, ctypes.byref(handled), size, 0)
    try:
        for library in _libraries():
            _allow(ruleset, library, _LIBRARY)
        _allow(ruleset, writable, _SCRATCH)
        give_up_new_privileges()
        call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _libraries() -> set[Path]:
    # The current folder is on the path of `python -m`, and may hold anything.
    here = Path.cwd()
    known = {Path(entry) for entry in (*sys.path, sys.prefix, sys.base_prefix, *_SYSTEM) if entry}
    return {path for path in known if path.exists() and path != here}


def _allow(ruleset: int, path: Path, rights: int) -> None:
    file_rights = _EXECUTE | _READ | _WRITE
    allowed = rights if path.is_dir() else rights & file_rights
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathRule(allowed, parent)
        call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)
