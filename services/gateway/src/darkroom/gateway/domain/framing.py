"""What a request's head must be like before anybody acts on it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from darkroom.gateway.domain.errors import BadFraming, HeadersTooLarge, UrlTooLong
from darkroom.gateway.domain.headers import Header
from darkroom.platform.errors import ServiceError

# `: ` and the line's end: what a header takes on the wire beside its name and value.
HEADER_OVERHEAD_BYTES: Final = 4
# A name or an address with an optional port; nothing that could be read as a path or a user.
_HOST: Final = re.compile(
    rb"[A-Za-z0-9._~%!$&'()*+,=-]*(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)

# All that decides where a request ends and whom it is for.
_FRAMING: Final = frozenset(
    {b"host", b"transfer-encoding", b"content-length", b"upgrade", b"expect"}
)


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How much head is read before the caller is told to send less."""

    url_bytes: int
    header_bytes: int
    header_count: int


def refuse_size(
    limits: HeadLimits, *, url_bytes: int, headers: Sequence[Header]
) -> ServiceError | None:
    """Return why a complete head is refused for its size, or None."""
    if url_bytes > limits.url_bytes:
        return UrlTooLong()
    taken = sum([len(name) + len(value) for name, value in headers])
    taken += HEADER_OVERHEAD_BYTES * len(headers)
    if len(headers) > limits.header_count:
        return HeadersTooLarge(f"There are more than {limits.header_count} headers.")
    return HeadersTooLarge() if taken > limits.header_bytes else None


def refuse_unfinished(limits: HeadLimits, *, url_bytes: int, fed_bytes: int) -> ServiceError | None:
    """Return why a head that has not ended after so many bytes is read no further, or None."""
    if url_bytes > limits.url_bytes:
        return UrlTooLong()
    return HeadersTooLarge() if fed_bytes > limits.url_bytes + limits.header_bytes else None


def refuse_head(version: str, headers: Sequence[Header]) -> ServiceError | None:
    """Return why a complete head is refused, or None.

    The parser has refused doubled and malformed lengths, a length beside a transfer coding,
    folded lines and bad names by then. This adds what it lets pass.
    """
    if version not in {"1.1", "1.0"}:
        return BadFraming()
    framing = [header for header in headers if header[0] in _FRAMING]
    hosts = [value for name, value in framing if name == b"host"]
    if len(hosts) != 1 and not (version == "1.0" and not hosts):
        return BadFraming("Exactly one Host header is required.")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        return BadFraming("The Host header is not a host.")
    # Most requests have no more to frame than their host.
    return _refuse_body_framing(version, framing) if len(framing) > 1 else None


def _refuse_body_framing(version: str, framing: Sequence[Header]) -> ServiceError | None:
    codings = [value for name, value in framing if name == b"transfer-encoding"]
    lengths = [value for name, value in framing if name == b"content-length"]
    if codings and (lengths or version == "1.0" or codings != [b"chunked"]):
        return BadFraming("Only `Transfer-Encoding: chunked`, alone, is accepted.")
    if len(lengths) > 1:
        return BadFraming("Only one Content-Length is accepted.")
    if (codings or lengths not in ([], [b"0"])) and any(name == b"upgrade" for name, _ in framing):
        # After an upgrade the parser leaves the body unread; we never upgrade.
        return BadFraming("An upgrade cannot be asked for with a body.")
    expectations = [value.lower() for name, value in framing if name == b"expect"]
    if expectations not in ([], [b"100-continue"]):
        return BadFraming("Only `Expect: 100-continue` is understood.")
    return None
