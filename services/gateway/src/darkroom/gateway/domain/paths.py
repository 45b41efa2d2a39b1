"""Path hygiene: one spelling for each path, and none for the dangerous ones."""

import re
from typing import Final

# What a path of ours may be made of: segments of RFC 3986 `pchar` without escapes and without
# `;` (path parameters), each non-empty and not only dots, with one optional slash at the end.
_CLEAN: Final = re.compile(r"(?:/(?!\.+(?:/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)*/?")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# Escaping these changes nothing (RFC 3986, section 2.3), so the escaped spelling is the same path.
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical(raw_path: str) -> str | None:
    """Return the one spelling of a path, without a slash at its end, or None for an unsafe path.

    Unsafe is whatever two parties could read differently: empty or dot segments, `;`, control
    characters, and any escape but that of an unreserved character. A path that is unsafe is
    answered like one that is not there.
    """
    path = _ESCAPE.sub(_unescape, raw_path) if "%" in raw_path else raw_path
    if not path or _CLEAN.fullmatch(path) is None:
        return None
    return path[:-1] if path != "/" and path.endswith("/") else path


def _unescape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0]
