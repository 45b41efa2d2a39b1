"""PNG and ICC files written by hand, for what no encoder would write."""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """Write one PNG chunk with its checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def header(width: int, height: int, *, bits: int = 8, colour: int = RGB) -> bytes:
    """Write a PNG's header chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def whole_png(head: bytes, rows: Iterable[bytes], *before_pixels: bytes) -> bytes:
    """Write a PNG of unfiltered rows, with further chunks before the pixels."""
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    parts = (PNG_SIGNATURE, head, *before_pixels, chunk(b"IDAT", pixels), chunk(b"IEND"))
    return b"".join(parts)


def cmyk_profile() -> bytes:
    """Write the smallest ICC profile that turns CMYK into Lab: two grid points a channel."""
    corners = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity
    table += ramp * 4 + b"".join(bytes(_lab(*corner)) for corner in corners) + ramp * 3
    text = b"CMYK of the tests\0"
    description = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    rights = b"text" + bytes(4) + b"Public domain\0"
    # The white point of the connection space, D50, as signed 15.16 numbers.
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    return _profile({b"desc": description, b"cprt": rights, b"wtpt": white, b"A2B0": table})


def _lab(cyan: int, magenta: int, yellow: int, black: int) -> tuple[int, int, int]:
    """Give the inks the Lab of their subtractive mixtures, in eight bits with 128 for zero."""
    if black:
        return (20, 128, 128)
    mixtures = {
        (0, 0, 0): (255, 128, 128),
        (1, 0, 0): (140, 91, 78),
        (0, 1, 0): (122, 202, 125),
        (0, 0, 1): (227, 123, 221),
        (1, 1, 0): (61, 150, 82),
        (1, 0, 1): (128, 60, 155),
        (0, 1, 1): (120, 196, 176),
        (1, 1, 1): (59, 128, 128),
    }
    return mixtures[cyan, magenta, yellow]


def _profile(tags: dict[bytes, bytes]) -> bytes:
    # 128 bytes of header, then a count and twelve bytes for each tag, then the tags.
    offset = 128 + 4 + 12 * len(tags)
    index, contents = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        index += name + struct.pack(">II", offset + len(contents), len(content))
        contents += padded
    size = offset + len(contents)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + index + contents
