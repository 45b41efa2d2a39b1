"""Loopback ports nobody uses."""

import random
import socket
from contextlib import closing
from pathlib import Path
from typing import Final

from darkroom.embedded.errors import StartError

LOOPBACK: Final = "127.0.0.1"
# Below this live the well-known and the commonly chosen ones.
_LOWEST: Final = 10_240
# Linux's default start of the range that outgoing connections take their ports from.
_DEFAULT_EPHEMERAL: Final = 32_768
_EPHEMERAL_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES: Final = 200


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen there at this moment, on every address of the host."""
    try:
        bind_once(port, host)
    except OSError:
        return False
    return True


def bind_once(port: int, host: str) -> None:
    """Bind every address of the host and let go; raises the OSError that tells what is wrong."""
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            # As servers do: connections that have just ended do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)


def localhost() -> str:
    """Return `localhost` where that name means both loopback addresses, else the old one.

    Clients that try the first address only, which may be ::1, then find the gateway as well.
    """
    try:
        found = {address[0] for *_, address in socket.getaddrinfo("localhost", None)}
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_STREAM)) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return LOOPBACK
    return "localhost" if found == {LOOPBACK, "::1"} else LOOPBACK


def free_port() -> int:
    """Choose a port outside the range that outgoing connections use.

    A server that is restarted on its port would otherwise find it taken by a client's own end,
    even by the client that keeps asking for the dead server.
    """
    highest = _ephemeral_start() - 1
    for _ in range(_TRIES):
        port = random.randint(_LOWEST, highest)  # noqa: S311 ports are no secret
        if is_free(port):
            return port
    message = f"No free port was found on {LOOPBACK} between {_LOWEST} and {highest}."
    raise StartError(message)


def _ephemeral_start() -> int:
    try:
        start = int(_EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL
    return start if start > _LOWEST + 1_000 else _DEFAULT_EPHEMERAL
