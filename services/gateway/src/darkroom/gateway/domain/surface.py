"""Which API a path belongs to, decided first, so that every refusal has its shape."""

import re
from typing import Final

from darkroom.contracts.surfaces import Surface

# First match wins. The order matters where one API's paths lie inside another's.
_ORDER: Final[tuple[tuple[str, Surface], ...]] = (
    (r"/auth/v1(?:/|$)", Surface.PICHR),
    (r"/accounts?(?:/|$)", Surface.IMAGEPRO),
    (r"/api/(?:images|docs|schema|redoc|documentation)(?:/|$)", Surface.IMAGEPRO),
    (r"/v1/upload/?$", Surface.PARTR),
    (r"/v1/albums(?:/|$)", Surface.PARTR),
    (r"/v1/images/img_", Surface.PARTR),
    (r"/v1(?:/|$)", Surface.IMG),
    (r"/api/v1/upload/?$", Surface.PARTR),
    (r"/api/v1/images(?:/|$)", Surface.PARTR),
    (r"/api/v1/albums/[^/]+/images/?$", Surface.PARTR),
    (r"/api/v1(?:/|$)", Surface.PICHR),
)
_SURFACES: Final = tuple(surface for _, surface in _ORDER)
_ANY: Final = re.compile("|".join(f"({pattern})" for pattern, _ in _ORDER))


def surface_of(path: str) -> Surface:
    """Return the API whose prefix the path carries, or the platform for everything else."""
    found = _ANY.match(path)
    if found is None or found.lastindex is None:
        return Surface.PLATFORM
    return _SURFACES[found.lastindex - 1]
