"""The format of an API key: `pk_`, `live_` or `test_`, then 32 base58 characters.

The first 26 are random (152 bits), the last 6 a checksum over all that stands before them: the
first eight bytes of its SHA-256 as a big-endian number, modulo 58**6, in base58, padded with `1`.
A mistyped key is therefore refused without a look-up, and a scanner can tell a key from noise. The
checksum guards nothing: keys are found by a keyed hash of the whole text.
"""

import hashlib
import re
import secrets
from typing import Final

# Bitcoin's alphabet: no 0, O, I, l.
ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
KINDS: Final = ("pk", "live", "test")
RANDOM_CHARACTERS: Final = 26
CHECKSUM_CHARACTERS: Final = 6
# What may be shown of a key after it was made: enough to tell one's own keys apart.
SHOWN_CHARACTERS: Final = 6

# A kind, an underscore, 32 base58 characters.
KEY: Final = re.compile(rf"({'|'.join(KINDS)})_[{ALPHABET}]{{32}}")


def mint(kind: str) -> str:
    """Make a key of one of the kinds; raises ValueError for another."""
    if kind not in KINDS:
        raise ValueError(f"not a kind of key: {kind}")
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    stem = f"{kind}_{random}"
    return stem + _checksum(stem)


def looks_valid(text: str) -> bool:
    """Tell, without a look-up, whether a text has a key's shape and its checksum holds."""
    if not KEY.fullmatch(text):
        return False
    stem, checksum = text[:-CHECKSUM_CHARACTERS], text[-CHECKSUM_CHARACTERS:]
    return secrets.compare_digest(checksum, _checksum(stem))


def kind_of(text: str) -> str | None:
    """Return the kind a text claims by its prefix and shape, or None; the checksum is not asked."""
    match = KEY.fullmatch(text)
    return match.group(1) if match else None


def _checksum(stem: str) -> str:
    number = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "big")
    characters = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))
