"""The process beside pytest that runs the servers, seen from the tests."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from darkroom.embedded.launch import __file__ as launch_script

# A cold interpreter on a busy machine; a started one listens within a quarter of a second.
_LISTEN_SECONDS: Final = 30.0
# A first PostgreSQL initialises its cluster: half a second alone, far more beside eight others.
_ANSWER_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02


class ServersFailed(Exception):
    """Say why a server of the run cannot be had."""


class ServersProcess:
    """Reach the servers of a run at a socket; without one given, start their process on demand."""

    def __init__(self, socket_path: str | None = None) -> None:
        self._given = socket_path
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, dict[str, Any]] = {}

    @cached_property
    def _directory(self) -> Path:
        # Below /tmp whatever TMPDIR says: a socket's path may have 107 characters at most.
        return Path(tempfile.mkdtemp(prefix="darkroom-", dir="/tmp"))

    @property
    def socket_path(self) -> str:
        """Return the path of the socket the process listens on."""
        return self._given or str(self._directory / "servers.sock")

    def address(self, name: str) -> dict[str, Any]:
        """Return how to reach a server, starting it if nobody has; raises ServersFailed."""
        if name not in self._addresses:
            self.start()
            self._addresses[name] = self._ask(name)
        return self._addresses[name]

    def start(self) -> None:
        """Start the process, unless it runs or belongs to somebody else."""
        if self._given is not None or self._process is not None:
            return
        terminate = str(signal.SIGTERM.value)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", launch_script, str(os.getpid()), terminate, "same"),
                *(sys.executable, "-m", "darkroom.testing.host", self.socket_path),
            ],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """End the process and every server with it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def _ask(self, name: str) -> dict[str, Any]:
        with closing(self._connect()) as connection:
            connection.sendall(f"{name}\n".encode())
            with connection.makefile("rb") as replies:
                reply: dict[str, Any] = json.loads(replies.readline() or b'{"error": "it ended"}')
        if "error" in reply:
            raise ServersFailed(f"{name}: {reply['error']}")
        return reply

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _LISTEN_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_ANSWER_SECONDS)
            try:
                connection.connect(self.socket_path)
            except OSError as error:
                connection.close()
                if time.monotonic() > deadline:
                    raise ServersFailed("the process that runs the servers is not there") from error
                time.sleep(_POLL_SECONDS)  # noqa: TID251 no loop runs here, a fixture waits
            else:
                return connection
