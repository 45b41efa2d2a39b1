"""A client's file name, made safe to keep and show; it never names anything of ours."""

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 255
# Controls, lone surrogates, line breaks and unassigned code points are never shown.
HIDDEN: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
# Marks that turn the direction of text make `gpj.exe` read as `exe.jpg`.
DIRECTION: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Beyond this an ending is no extension but part of the name.
MAX_EXTENSION: Final = 16


def clean_filename(name: str) -> str | None:
    """Return a name's last component without anything invisible, or None if nothing is left."""
    visible = "".join(c for c in name if unicodedata.category(c) not in HIDDEN)
    base = re.split(r"[/\\]", DIRECTION.sub("", visible))[-1].strip()
    if base in {"", ".", ".."}:
        return None
    return _shortened(base)


def _shortened(base: str) -> str:
    if len(base) <= MAX_CHARACTERS:
        return base
    stem, dot, extension = base.rpartition(".")
    if not dot or len(extension) > MAX_EXTENSION:
        return base[:MAX_CHARACTERS]
    return f"{stem[: MAX_CHARACTERS - len(extension) - 1]}.{extension}"
