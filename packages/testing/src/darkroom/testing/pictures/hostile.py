"""Hostile pictures, each named for its trick; all are small files that ask for much work."""

import struct
import zlib
from functools import lru_cache
from itertools import chain, repeat
from typing import Final

from PIL import Image

from darkroom.testing.pictures.chunks import PNG_SIGNATURE, chunk, header, whole_png
from darkroom.testing.pictures.modes import png_with_chunk
from darkroom.testing.pictures.plain import encoded, jpeg

# Just below the number of pixels at which Pillow would warn: 89,478,485.
_BOMB_WIDTH: Final = 16_383
_BOMB_HEIGHT: Final = 5_461


def webp_bomb_40_bytes() -> bytes:
    """Return a valid lossless WebP of 89 megapixels in 40 bytes.

    Every prefix code has one symbol, so a pixel costs no bit at all.
    """
    bits = _Bits()
    bits.put(0x2F, 8)
    bits.put(_BOMB_WIDTH - 1, 14)
    bits.put(_BOMB_HEIGHT - 1, 14)
    bits.put(0, 1 + 3)  # no alpha, version 0
    bits.put(0, 1 + 1 + 1)  # no transform, no colour cache, one group of codes
    for symbol in (64, 128, 192, 255):
        # Green, red, blue, alpha: a simple code of one symbol of eight bits.
        bits.put(0b101, 3)
        bits.put(symbol, 8)
    bits.put(0b001, 3)  # distances: one symbol of one bit
    bits.put(0, 1)
    payload = bits.content().ljust(20, b"\0")
    return b"RIFF" + struct.pack("<I", 12 + len(payload)) + b"WEBPVP8L" + _sized(payload)


def gif_lottapixel() -> bytes:
    """Return a GIF with a canvas of 64,250 by 64,250 and one frame of one pixel."""
    screen = struct.pack("<HHBBB", 64_250, 64_250, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + frame + b";"


def gif_many_frames(count: int = 10_000, side: int = 7_000) -> bytes:
    """Return a GIF with a large canvas and thousands of frames of one pixel, shown for 0 ms."""
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"!\xf9\x04\x08\x00\x00\x00\x00," + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    return b"GIF89a" + screen + (frame + b"\x02\x02\x44\x01\x00") * count + b";"


def png_header_only(width: int, height: int) -> bytes:
    """Return a PNG with an honest header and hardly a pixel behind it."""
    return PNG_SIGNATURE + header(width, height) + chunk(b"IDAT", zlib.compress(b""))


def png_text_bomb(count: int = 300_000) -> bytes:
    """Return a PNG of one row with hundreds of thousands of text chunks."""
    return whole_png(header(1, 1), [bytes(3)], chunk(b"tEXt", b"k\0v") * count)


def png_inflated_text(megabytes: int = 200) -> bytes:
    """Return a PNG whose compressed text inflates a thousandfold."""
    return png_with_chunk(b"zTXt", b"Comment\0\0" + _zeros(megabytes))


def png_icc_bomb(megabytes: int = 200) -> bytes:
    """Return a PNG whose colour profile inflates a thousandfold."""
    return png_with_chunk(b"iCCP", b"profile\0\0" + _zeros(megabytes))


@lru_cache(maxsize=4)
def jpeg_scan_bomb(scans: int = 2_000, side: int = 2_000) -> bytes:
    """Return a progressive JPEG that refines the same coefficients thousands of times.

    A scan of a plain area is forty bytes, and the decoder walks every block for it.
    """
    plain = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    start = plain.rindex(b"\xff\xda")
    end = plain.rindex(b"\xff\xd9")
    return plain[:end] + plain[start:end] * scans + plain[end:]


def jpeg_app_segments(count: int = 1_000, size: int = 60_000) -> bytes:
    """Return a JPEG with megabytes of application segments before its first pixel."""
    content = jpeg(16, 16)
    segment = b"\xff\xed" + struct.pack(">H", size + 2) + bytes(size)
    return content[:2] + segment * count + content[2:]


def bmp_negative_height(width: int = 16, height: int = -(2**31)) -> bytes:
    """Return a BMP header whose height has no positive counterpart."""
    core = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2_835, 2_835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + core


def _zeros(megabytes: int) -> bytes:
    compressor = zlib.compressobj(9)
    block = bytes(1_000_000)
    parts = (compressor.compress(part) for part in repeat(block, megabytes))
    return b"".join(chain(parts, (compressor.flush() for _ in range(1))))


def _sized(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


class _Bits:
    """Collect bits, the lowest first."""

    def __init__(self) -> None:
        self._value = 0
        self._length = 0

    def put(self, value: int, width: int) -> None:
        self._value |= value << self._length
        self._length += width

    def content(self) -> bytes:
        return self._value.to_bytes((self._length + 7) // 8, "little")
