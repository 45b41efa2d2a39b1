"""Public ids: one UUIDv7 inside, a prefix and 24 base62 characters outside."""

import secrets
import time
from enum import StrEnum
from typing import Final
from uuid import UUID

# Digits, upper, lower: ASCII order equals value order, so public ids sort by time as UUIDv7 does.
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 62**21 < 2**128 <= 62**22; 24 leaves the width the `img` surface documents.
WIDTH: Final = 24
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_UUID_BITS: Final = 128


class Prefix(StrEnum):
    """Name the kind of thing a public id stands for."""

    IMAGE_PARTR = "img"
    IMAGE_PICHR = "file"
    IMAGE_IMG = "image"
    ALBUM = "alb"
    UPLOAD = "upl"
    ACCOUNT = "usr"
    KEY = "key"
    EVENT = "evt"


IMAGE_PREFIXES: Final = (Prefix.IMAGE_PARTR, Prefix.IMAGE_PICHR, Prefix.IMAGE_IMG)


class InvalidId(ValueError):
    """Raised when a text is not a public id of the wanted kind; edges answer 404, never 422."""


def new_id() -> UUID:
    """Make a UUIDv7: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def encode_id(prefix: Prefix, value: UUID) -> str:
    """Write a UUID as `prefix_` and 24 base62 characters, left-padded with zeros."""
    number, characters = value.int, []
    for _ in range(WIDTH):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(characters))}"


def decode_id(text: str, *prefixes: Prefix) -> UUID:
    """Read a public id that carries one of the given prefixes.

    Raises InvalidId for another prefix or width, a foreign character or a value over 128 bits.
    """
    prefix, _, body = text.partition("_")
    if prefix not in prefixes or len(body) != WIDTH:
        raise InvalidId(text[:64])
    number = 0
    for character in body:
        if character not in _VALUE:
            raise InvalidId(text[:64])
        number = number * len(ALPHABET) + _VALUE[character]
    if number >> _UUID_BITS:
        raise InvalidId(text[:64])
    return UUID(int=number)


def decode_image_id(text: str) -> UUID:
    """Read an image id in any surface's spelling: each image prefix, or the bare UUID.

    Only the canonical 36-character form of a UUID is taken, so one image has one bare spelling.
    """
    if "_" in text:
        return decode_id(text, *IMAGE_PREFIXES)
    try:
        value = UUID(text)
    except ValueError as error:
        raise InvalidId(text[:64]) from error
    if str(value) != text.lower():
        raise InvalidId(text[:64])
    return value
