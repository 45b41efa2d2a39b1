"""A JPEG that tells everything about its owner: place, camera, a comment, an old thumbnail."""

import io
import struct
from typing import Final

from PIL import Image

from darkroom.testing.pictures.plain import encoded, upright

# What no reader may find in anything we serve to others.
SECRETS: Final = (
    b"SERIAL-0815",
    b"Owner Of Camera",
    b"home, sweet home",
    b"xmp says who",
    b"GPS-AREA-51",
)
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_FORMATS: Final = {_SHORT: "H", _LONG: "I"}
_Entry = tuple[int, int, bytes | int | tuple[tuple[int, int], ...]]


def jpeg_tagged(width: int = 64, height: int = 48, *, orientation: int = 6) -> bytes:
    """Return a JPEG with GPS, serial number, owner, XMP, comment and another thumbnail."""
    turned = upright(width, height).transpose(Image.Transpose.ROTATE_90)
    image = turned if orientation == 6 else upright(width, height)  # noqa: PLR2004 EXIF: turn right
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>xmp says who</x:xmpmeta>"
    return encoded(
        image, "JPEG", quality=92, exif=_exif(orientation), comment=b"home, sweet home", xmp=xmp
    )


def _exif(orientation: int) -> bytes:
    """Lay out a TIFF: directory 0 with EXIF and GPS below it, directory 1 with the thumbnail."""
    thumbnail = encoded(Image.new("RGB", (40, 30), "magenta"), "JPEG", quality=60)
    block = io.BytesIO(b"Exif\0\0II*\0\0\0\0\0")
    block.seek(0, io.SEEK_END)
    photo = _directory(
        block,
        [(0xA430, _ASCII, b"Owner Of Camera\0"), (0xA431, _ASCII, b"SERIAL-0815\0")],
    )
    degrees = ((48, 1), (51, 1), (2_983, 100))
    place = _directory(
        block,
        [
            (0x0000, 1, b"\x02\x03\0\0"),
            (0x0001, _ASCII, b"N\0"),
            (0x0002, _RATIONAL, degrees),
            (0x0003, _ASCII, b"E\0"),
            (0x0004, _RATIONAL, degrees),
            (0x001C, _UNDEFINED, b"ASCII\0\0\0GPS-AREA-51"),
        ],
    )
    thumbnail_at = _append(block, thumbnail)
    second = _directory(
        block,
        [(0x0103, _SHORT, 6), (0x0201, _LONG, thumbnail_at), (0x0202, _LONG, len(thumbnail))],
    )
    first = _directory(
        block,
        [
            (0x010F, _ASCII, b"Acme\0"),
            (0x0112, _SHORT, orientation),
            (0x8298, _ASCII, b"(c) Someone\0"),
            (0x8769, _LONG, photo),
            (0x8825, _LONG, place),
        ],
        following=second,
    )
    content = bytearray(block.getvalue())
    # The header's last four bytes point at directory 0.
    content[10:14] = struct.pack("<I", first)
    return bytes(content)


def _append(block: io.BytesIO, content: bytes) -> int:
    """Append to the TIFF; return the offset, which counts from behind the word `Exif`."""
    block.seek(0, io.SEEK_END)
    offset = block.tell() - 6
    block.write(content + bytes(len(content) % 2))
    return offset


def _directory(block: io.BytesIO, entries: list[_Entry], *, following: int = 0) -> int:
    lines = b""
    for tag, kind, value in entries:
        count, content = _content(kind, value)
        if len(content) > 4:  # noqa: PLR2004 longer values live elsewhere, at an offset
            content = struct.pack("<I", _append(block, content))
        lines += struct.pack("<HHI", tag, kind, count) + content.ljust(4, b"\0")
    return _append(block, struct.pack("<H", len(entries)) + lines + struct.pack("<I", following))


def _content(kind: int, value: bytes | int | tuple[tuple[int, int], ...]) -> tuple[int, bytes]:
    if isinstance(value, int):
        return 1, struct.pack(f"<{_FORMATS[kind]}", value)
    if isinstance(value, bytes):
        return len(value), value
    return len(value), b"".join(struct.pack("<II", *ratio) for ratio in value)
