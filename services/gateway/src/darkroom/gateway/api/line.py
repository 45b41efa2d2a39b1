"""What the front door may ask of the connection a request came on, beyond ASGI."""

import asyncio
from typing import Final, Protocol

from starlette.types import Scope

_EXTENSION: Final = "darkroom.line"


class Line(Protocol):
    """The connection of one request."""

    @property
    def is_lost(self) -> bool:
        """Tell whether the client has gone."""
        ...

    @property
    def is_body_complete(self) -> bool:
        """Tell whether the request has arrived to its last byte."""
        ...

    def attend(self, task: "asyncio.Task[object] | None") -> None:
        """Cancel this task when the client goes away."""
        ...


class PlainLine:
    """Any other server's connection: a client who goes away is noticed at the next byte only."""

    is_lost = False
    is_body_complete = False

    def attend(self, task: "asyncio.Task[object] | None") -> None:
        """Do nothing: this server does not tell."""


_PLAIN: Final = PlainLine()


def line_of(scope: Scope) -> Line:
    """Return the line a request came on."""
    line: Line = scope.get("extensions", {}).get(_EXTENSION, _PLAIN)
    return line


def extension(line: Line) -> dict[str, Line]:
    """Return the ASGI extension a server offers its line by."""
    return {_EXTENSION: line}
