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


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How much head is read before the caller is told to send less."""

    url_bytes: int
    header_bytes: int
    header_count: int


def refuse_head(version: str, headers: Sequence[Header]) -> ServiceError | None:
    """Return why a complete head is refused, or None.

    The parser has refused doubled and malformed lengths, a length beside a transfer coding,
    folded lines and bad names by then. This adds what it lets pass.
    """
    if version not in {"1.1", "1.0"}:
        return BadFraming()
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 and not (version == "1.0" and not hosts):
        return BadFraming("Exactly one Host header is required.")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        return BadFraming("The Host header is not a host.")
    return _refuse_body_framing(version, headers)


def _refuse_body_framing(version: str, headers: Sequence[Header]) -> ServiceError | None:
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    lengths = [value for name, value in headers if name == b"content-length"]
    if codings and (lengths or version == "1.0" or codings != [b"chunked"]):
        return BadFraming("Only `Transfer-Encoding: chunked`, alone, is accepted.")
    if len(lengths) > 1:
        return BadFraming("Only one Content-Length is accepted.")
    if (codings or lengths not in ([], [b"0"])) and any(name == b"upgrade" for name, _ in headers):
        # After an upgrade the parser leaves the body unread; we never upgrade.
        return BadFraming("An upgrade cannot be asked for with a body.")
    expectations = [value.lower() for name, value in headers if name == b"expect"]
    if expectations not in ([], [b"100-continue"]):
        return BadFraming("Only `Expect: 100-continue` is understood.")
    return None


def refuse_size(
    limits: HeadLimits, *, url_bytes: int, header_bytes: int, header_count: int
) -> ServiceError | None:
    """Return why a head is refused for its size, complete or not, or None."""
    if url_bytes > limits.url_bytes:
        return UrlTooLong()
    if header_bytes > limits.header_bytes or header_count > limits.header_count:
        return HeadersTooLarge()
    return None
