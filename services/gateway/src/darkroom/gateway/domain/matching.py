"""From a method and a path to a route: one regular expression, built once from the table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from darkroom.gateway.domain.paths import canonical
from darkroom.gateway.domain.routes import PARAMETERS, Route

_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """A route that takes the call, and the path its owner knows the thing by."""

    route: Route
    path: str


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path is there, for other methods."""

    allowed: tuple[str, ...]


class RouteTable:
    """Find routes. Rows with one pattern are one entry; the first pattern that fits wins."""

    def __init__(self, routes: Sequence[Route]) -> None:
        entries: dict[str, dict[str, Route]] = {}
        for route in routes:
            methods = entries.setdefault(route.pattern, {})
            for method in route.methods:
                methods.setdefault(method, route)
        self._entries = tuple(entries.values())
        # One alternation, tried in order: `lastindex` tells which pattern fitted.
        self._any = re.compile("|".join(f"({expression(pattern)})" for pattern in entries))

    def find(self, method: str, raw_path: str) -> Match | WrongMethod | None:
        """Return the match, the methods the path is there for, or None when nothing is there."""
        path = canonical(raw_path)
        found = None if path is None else self._any.fullmatch(path)
        if path is None or found is None or found.lastindex is None:
            return None
        methods = self._entries[found.lastindex - 1]
        route = methods.get(method)
        if route is None:
            return WrongMethod(allowed=(*methods, "OPTIONS"))
        return Match(route, route.target or route.prefix + path)


def expression(pattern: str) -> str:
    """Return a pattern as a regular expression without capturing groups of its own."""
    parts = _PARAMETER.split(pattern)
    # split() alternates literal text and parameter names.
    return "".join(
        PARAMETERS[part] if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
