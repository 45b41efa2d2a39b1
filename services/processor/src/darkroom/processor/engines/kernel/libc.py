"""Calls into the C library that raise OSError as Python's own wrappers do."""

import ctypes
import os


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library; a result below zero is an error."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.restype = ctypes.c_long
    result = int(function(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def give_up_new_privileges() -> None:
    """Promise never to gain rights again; the kernel asks for it before it fences a process."""
    set_no_new_privileges = 38
    call("prctl", set_no_new_privileges, 1, 0, 0, 0)
