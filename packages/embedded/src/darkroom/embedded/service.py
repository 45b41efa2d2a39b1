"""One process of a service, as the supervisor sees it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from darkroom.embedded.children import Command
from darkroom.embedded.environment import environment_for
from darkroom.embedded.ports import LOOPBACK
from darkroom.embedded.probe import status_of
from darkroom.embedded.servers.program import NotReady


@dataclass(frozen=True, slots=True)
class Service:
    """Run `python -m darkroom.{service} {words}`; its service port answers `/-/live`."""

    name: str
    service: str
    words: tuple[str, ...]
    port: int
    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        """Return the base URL of the service port."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self, *words: str) -> Command:
        """Return the command of any of the service's words, with the process's settings."""
        return Command(
            (sys.executable, "-m", f"darkroom.{self.service}", *words),
            environment=environment_for(self.service.upper(), self.settings),
        )

    async def prepare(self) -> Command:
        """Return the command; a service needs nothing on disk."""
        return self.command(*self.words)

    async def check(self) -> None:
        """Raise NotReady until the process answers that it is alive."""
        try:
            status = await status_of(f"{self.url}/-/live")
        except (OSError, TimeoutError) as error:
            raise NotReady(str(error)) from error
        if status != HTTPStatus.OK:
            raise NotReady(f"/-/live answers {status}")

    async def finish(self) -> None:
        """Do nothing: a service that lives is complete."""
