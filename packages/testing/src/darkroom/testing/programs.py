"""Small programs for tests of whoever supervises."""

import sys
from dataclasses import dataclass
from pathlib import Path

from darkroom.embedded.children import Command
from darkroom.embedded.servers.program import NotReady


@dataclass(frozen=True, slots=True)
class Script:
    """A few lines of Python as a program, ready once it has written its pid to a file."""

    name: str
    directory: Path
    body: str = "import time; time.sleep(60)"

    async def prepare(self) -> Command:
        """Forget the pid of an earlier run."""
        self._pid_file.unlink(missing_ok=True)
        start = f"import os; open({str(self._pid_file)!r}, 'w').write(str(os.getpid()))"
        return Command((sys.executable, "-u", "-c", f"print('hello'); {start}\n{self.body}"))

    async def check(self) -> None:
        """Raise NotReady until there is a pid."""
        if not self._pid_file.exists() or not self._pid_file.read_text():
            raise NotReady("no pid yet")

    async def finish(self) -> None:
        """Do nothing."""

    @property
    def pid(self) -> int:
        """Return the pid of the present run."""
        return int(self._pid_file.read_text())

    @property
    def _pid_file(self) -> Path:
        return self.directory / f"{self.name}.pid"
