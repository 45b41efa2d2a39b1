"""Become another program that ends when its parent does.

Run as a script, before anything else of Darkroom is imported: `launch.py PARENT SIGNAL IDENTITY
PROGRAM ARGUMENT...`. PostgreSQL refuses to run as root, so IDENTITY says who to be:

- `same`: who we are;
- `namespace:UID:GID`: UID inside a user namespace, ourselves outside, so every file stays ours;
- `drop:UID:GID`: UID, with the one capability to reach files below directories closed to it.
"""

import ctypes
import os
import sys

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
# sysexits.h: EX_NOPERM, EX_UNAVAILABLE.
_NOT_PERMITTED = 77
_PARENT_GONE = 69


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def enter_namespace(uid: int, gid: int) -> None:
    """Appear as another user inside a user namespace that maps back to who we are."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _checked(_libc().unshare(_CLONE_NEWUSER))
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 pathlib doubles the start-up time
            file.write(line)


def drop_root(uid: int, gid: int) -> None:
    """Become another user for good, keeping only the right to pass closed directories."""
    libc = _libc()
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    only = 1 << _CAP_DAC_OVERRIDE
    # Effective, permitted and inheritable, for capabilities 0-31 and then 32-63.
    sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)
    _checked(libc.capset(header, sets))
    _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def take_identity(identity: str) -> None:
    """Change who we are as IDENTITY says."""
    kind, _, numbers = identity.partition(":")
    if kind == "same":
        return
    uid, gid = (int(number) for number in numbers.split(":"))
    {"namespace": enter_namespace, "drop": drop_root}[kind](uid, gid)


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for a signal when the parent ends; leave at once if it already has."""
    if not sys.platform.startswith("linux"):
        return
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(_PARENT_GONE)


def main(arguments: list[str]) -> None:
    """Take the identity first, for a change of user forgets the wish to die with the parent."""
    parent, signal_number, identity, program, *rest = arguments
    try:
        take_identity(identity)
        die_with(int(parent), int(signal_number))
        os.execv(program, [program, *rest])  # noqa: S606 becoming the program is the purpose
    except OSError as error:
        sys.stderr.write(f"{program} cannot be run ({identity}): {error}\n")
        os._exit(_NOT_PERMITTED)


if __name__ == "__main__":
    main(sys.argv[1:])
