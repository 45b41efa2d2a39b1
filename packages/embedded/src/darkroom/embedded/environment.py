"""What a child's environment holds: its own settings, and nothing of its neighbours'."""

import os
from collections.abc import Mapping
from typing import Final

# What programs need to find files, write text and tell the time; OTEL_ goes to every service.
_KEPT: Final = frozenset({"PATH", "HOME", "USER", "TMPDIR", "TZ", "LANG", "VIRTUAL_ENV", "TERM"})
_KEPT_PREFIXES: Final = (
    "DARKROOM_",
    "LC_",
    "PYTHON",
    "COVERAGE_",
    "OTEL_",
    "LD_LIBRARY_PATH",
    "SSL_CERT_",
)


def environment_for(prefix: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service: what the person set for it, and our settings on top.

    Cloud credentials and the other services' passwords stay here: a decoder that is broken into
    finds nothing.
    """
    inherited = os.environ.items()  # noqa: TID251 a child inherits what it needs and no more
    kept = {
        name: value
        for name, value in inherited
        if name in _KEPT or name.startswith((*_KEPT_PREFIXES, f"{prefix}_"))
    }
    return kept | {f"{prefix}_{name}": value for name, value in settings.items()}
