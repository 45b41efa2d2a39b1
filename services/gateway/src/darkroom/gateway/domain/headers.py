"""Which headers cross the front door, in each direction."""

from collections.abc import Iterable, Sequence
from typing import Final

Header = tuple[bytes, bytes]

# Of this connection only (RFC 9110, section 7.6.1); each side of the gateway frames for itself.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Services know the caller by the passport alone and never see a credential.
CREDENTIALS: Final = frozenset({b"authorization", b"x-api-key", b"apikey"})
# Claims about who or where the caller is, or what they meant instead of what they sent.
CLAIMS: Final = frozenset(
    {
        b"cf-connecting-ip",
        b"client-ip",
        b"forwarded",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-url",
        b"x-real-ip",
        b"x-rewrite-url",
    }
)
CLAIM_PREFIXES: Final = (b"x-darkroom-", b"x-forwarded-", b"x-internal-", b"x-user-")
# Set anew on every forwarded request.
_OURS: Final = frozenset(
    {b"content-length", b"host", b"traceparent", b"tracestate", b"x-request-id"}
)
_NOT_INWARD: Final = HOP_BY_HOP | CREDENTIALS | CLAIMS | _OURS
# The server stamps its own date; which software answers is nobody's business.
_NOT_OUTWARD: Final = HOP_BY_HOP | {b"date", b"server", b"x-powered-by", b"x-request-id"}
_NOT_OUTWARD_PREFIXES: Final = (b"access-control-", b"x-darkroom-")

# The same few names come with every request. The memory is bounded because names are the caller's.
_MEMORY: Final = 512
_inward_names: dict[bytes, str | None] = {}
_outward_names: dict[bytes, bytes | None] = {}


def inward(
    headers: Iterable[Header], *, named_by_connection: frozenset[bytes]
) -> list[tuple[str, str]]:
    """Return the request headers a service may see; names are in lower case already.

    Names with an underscore are dropped: `x_user_id` is `x-user-id` to some readers.
    """
    kept = []
    for name, value in headers:
        known = _inward_names[name] if name in _inward_names else _learn_inward(name)
        if known is not None and name not in named_by_connection:
            kept.append((known, value.decode("utf-8", "replace")))
    return kept


def outward(headers: Iterable[Header]) -> list[Header]:
    """Return the reply headers a client may see, names in lower case."""
    kept = []
    for name, value in headers:
        known = _outward_names[name] if name in _outward_names else _learn_outward(name)
        if known is not None:
            kept.append((known, value))
    return kept


def connection_options(values: Sequence[bytes]) -> frozenset[bytes]:
    """Return the header names a Connection header declares to be of this connection only."""
    return frozenset(option.strip().lower() for value in values for option in value.split(b","))


def _learn_inward(name: bytes) -> str | None:
    dropped = name in _NOT_INWARD or name.startswith(CLAIM_PREFIXES) or b"_" in name
    known = None if dropped else name.decode("ascii", "replace")
    if len(_inward_names) < _MEMORY:
        _inward_names[name] = known
    return known


def _learn_outward(name: bytes) -> bytes | None:
    lowered = name.lower()
    dropped = lowered in _NOT_OUTWARD or lowered.startswith(_NOT_OUTWARD_PREFIXES)
    known = None if dropped else lowered
    if len(_outward_names) < _MEMORY:
        _outward_names[name] = known
    return known
