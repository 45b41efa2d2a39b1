"""Text given by clients, made safe to store and to show."""

import unicodedata
from typing import Final

# Cc holds NUL, which PostgreSQL refuses, and line breaks; Cs lone surrogates, which are no UTF-8.
_UNSTORABLE: Final = frozenset({"Cc", "Cs"})


def clean_text(text: str | None, *, longest: int) -> str | None:
    """Return the text without control characters, trimmed and cut, or None when nothing is left."""
    if text is None:
        return None
    kept = "".join(character for character in text if not _is_control(character))
    return kept.strip()[:longest].strip() or None


def is_storable(text: str) -> bool:
    """Tell whether PostgreSQL takes the text as it is, line breaks included."""
    return "\0" not in text and not any(unicodedata.category(letter) == "Cs" for letter in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _UNSTORABLE
