"""The credentials a request presents: which headers count, and which of two comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from darkroom.contracts.surfaces import Surface
from darkroom.gateway.domain.headers import Header
from darkroom.platform.errors import Unauthenticated

_KEY_HEADER: Final = b"x-api-key"
_BEARER_HEADER: Final = b"authorization"
_BEARER: Final = "bearer"
_KEY_PREFIXES: Final = ("pk_", "live_", "test_")
# Where a request carries both headers, these surfaces' own samples put the key in X-API-Key.
_KEY_HEADER_FIRST: Final = frozenset({Surface.PARTR, Surface.IMG})


class Kind(StrEnum):
    """What a credential claims to be, told by its shape alone."""

    KEY = "key"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential as it was sent; never printed."""

    kind: Kind
    text: str

    def __repr__(self) -> str:
        return f"Credential({self.kind})"


def presented(
    headers: Sequence[Header], fields: Mapping[bytes, bytes], surface: Surface
) -> tuple[Credential, ...]:
    """Return what the request presents, the decisive one first; `fields` are the headers by name.

    Raises Unauthenticated for a header that is there twice or is no credential at all: whoever
    sends one means to be known, and is never served as a stranger.
    """
    if _KEY_HEADER not in fields and _BEARER_HEADER not in fields:
        return ()
    found = [_READERS[name](_single(headers, name)) for name in _READERS if name in fields]
    if surface not in _KEY_HEADER_FIRST:
        found.reverse()
    return tuple(dict.fromkeys(found))


def _single(headers: Sequence[Header], name: bytes) -> str:
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise Unauthenticated(reason="repeated_header")
    return values[0].decode("latin-1").strip()


def _from_key(value: str) -> Credential:
    return Credential(Kind.KEY, value)


def _from_bearer(value: str) -> Credential:
    scheme, _, text = value.partition(" ")
    text = text.lstrip()
    if scheme.lower() != _BEARER or not text:
        raise Unauthenticated(reason="scheme")
    return Credential(Kind.KEY if text.startswith(_KEY_PREFIXES) else Kind.SESSION, text)


_READERS: Final = {_KEY_HEADER: _from_key, _BEARER_HEADER: _from_bearer}
