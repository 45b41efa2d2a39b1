"""Who PostgreSQL runs as: it refuses root, and a user without a name."""

import asyncio
import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from darkroom.embedded.errors import StartError
from darkroom.embedded.launch import __file__ as launch_script


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold what the launcher is told, and the numbers that own the program's files outside."""

    text: str
    owner_uid: int
    owner_gid: int


def ourselves() -> Identity:
    """Return the identity of this process."""
    return Identity("same", os.geteuid(), os.getegid())


async def unprivileged() -> Identity:
    """Choose who a program that refuses root may be; raises StartError where nobody will do."""
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return ourselves()
    stand_in = _stand_in()
    namespaced = f"namespace:{stand_in.pw_uid}:{stand_in.pw_gid}"
    if await _works(namespaced):
        return Identity(namespaced, os.geteuid(), os.getegid())
    dropped = f"drop:{stand_in.pw_uid}:{stand_in.pw_gid}"
    if os.geteuid() == 0 and await _works(dropped):
        return Identity(dropped, stand_in.pw_uid, stand_in.pw_gid)
    message = "PostgreSQL cannot run as this user and no other can be taken; start as a named user."
    raise StartError(message)


def own(directory: Path, identity: Identity) -> None:
    """Give a directory tree to the identity; cheap when it already owns the top."""
    if directory.stat().st_uid == identity.owner_uid:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, identity.owner_uid, identity.owner_gid, follow_symlinks=False)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _stand_in() -> pwd.struct_passwd:
    # Any name but root's will do; `nobody` is no good choice, its number is also the kernel's
    # word for an owner that has no name inside a namespace.
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid not in {0, 65534}]
    if not entries:
        message = "PostgreSQL refuses to run as root, and this system knows no other user."
        raise StartError(message)
    return min(entries, key=lambda entry: entry.pw_uid)


async def _works(identity: str) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    true = shutil.which("true") or "/bin/true"
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", launch_script, str(os.getpid()), "9", identity, true),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await probe.wait() == 0
