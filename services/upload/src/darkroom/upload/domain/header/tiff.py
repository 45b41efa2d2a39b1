"""TIFF: follow the directories without looping, and see that the first one's pixels are there."""

from dataclasses import dataclass
from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import (
    MAX_BITS_PER_PIXEL,
    MAX_FRAMES,
    MAX_PARTS,
    check_frame,
)
from darkroom.upload.domain.header.source import Order, Source
from darkroom.upload.domain.verdict import (
    Picture,
    invalid,
    too_complex,
    truncated,
    unsupported,
)

ENTRY_BYTES: Final = 12
# Programs write a few dozen fields; the format would allow 65,535.
MAX_FIELDS: Final = 1_000
# Bytes of the integer types: BYTE, SHORT, LONG.
WIDTHS: Final = {1: 1, 3: 2, 4: 4}
INLINE_BYTES: Final = 4

WIDTH: Final = 256
HEIGHT: Final = 257
BITS: Final = 258
COMPRESSION: Final = 259
SAMPLES: Final = 277
# Offsets and lengths of the pixels, in strips or in tiles.
PLACES: Final = ((273, 279), (324, 325))
# A raw camera file is a TIFF whose first picture is a preview; only its owner's tools know it.
RAW_CAMERA: Final = 50706
UNPACKED: Final = 1


@dataclass(frozen=True, slots=True)
class _Field:
    kind: int
    count: int
    place: int


@dataclass(frozen=True, slots=True)
class _Directory:
    source: Source
    order: Order
    fields: dict[int, _Field]

    def number(self, tag: int, default: int) -> int:
        """Return the first number of a field, or the default where the field is not there."""
        numbers = self.numbers(tag, most=1)
        return numbers[0] if numbers else default

    def numbers(self, tag: int, *, most: int) -> list[int]:
        field = self.fields.get(tag)
        if field is None:
            return []
        width = WIDTHS.get(field.kind)
        if width is None:
            raise invalid("a number is of no known type")
        count = min(field.count, most)
        place = field.place
        if field.count * width > INLINE_BYTES:
            place = self.source.u32(field.place, self.order)
        content = self.source.read(place, count * width)
        return [
            int.from_bytes(content[at : at + width], self.order)
            for at in range(0, len(content), width)
        ]


def read_tiff(source: Source) -> Picture:
    order: Order = "little" if source.read(0, 2) == b"II" else "big"
    start = source.u32(4, order)
    _check_chain(source, order, start)
    directory = _read_directory(source, order, start)
    if RAW_CAMERA in directory.fields:
        raise unsupported("raw camera files cannot be read")
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    check_frame(ImageFormat.TIFF, width, height)
    bits = _bits_per_pixel(directory)
    stored = _check_places(directory)
    if directory.number(COMPRESSION, UNPACKED) == UNPACKED and stored < width * height * bits // 8:
        raise truncated("some of its pixels are missing")
    return Picture(ImageFormat.TIFF, width, height)


def _check_chain(source: Source, order: Order, start: int) -> None:
    """Follow the chain of pages to its end; a loop would have a decoder follow it for ever."""
    visited: set[int] = set()
    while start:
        if start in visited:
            raise invalid("its pages form a loop")
        visited.add(start)
        if len(visited) > MAX_FRAMES:
            raise too_complex(f"it has more than {MAX_FRAMES} pages")
        fields = source.u16(start, order)
        if fields > MAX_FIELDS:
            raise too_complex(f"a page has more than {MAX_FIELDS:,} fields")
        start = source.u32(start + 2 + fields * ENTRY_BYTES, order)


def _read_directory(source: Source, order: Order, start: int) -> _Directory:
    if start == 0:
        raise truncated("it has no pages")
    fields = {}
    for at in range(start + 2, start + 2 + source.u16(start, order) * ENTRY_BYTES, ENTRY_BYTES):
        kind, count = source.u16(at + 2, order), source.u32(at + 4, order)
        fields[source.u16(at, order)] = _Field(kind, count, at + 8)
    return _Directory(source, order, fields)


def _bits_per_pixel(directory: _Directory) -> int:
    samples, bits = directory.number(SAMPLES, 1), directory.number(BITS, 1)
    if samples < 1 or bits < 1:
        raise invalid("its pixels have no channels")
    if samples * bits > MAX_BITS_PER_PIXEL:
        raise too_complex(f"its pixels have more than {MAX_BITS_PER_PIXEL} bits")
    return samples * bits


def _check_places(directory: _Directory) -> int:
    """Return how many bytes of pixels there are; each strip or tile must lie within the file."""
    for offsets_tag, lengths_tag in PLACES:
        if offsets_tag not in directory.fields:
            continue
        if directory.fields[offsets_tag].count > MAX_PARTS:
            raise too_complex(f"its pixels are cut into more than {MAX_PARTS:,} pieces")
        offsets = directory.numbers(offsets_tag, most=MAX_PARTS)
        lengths = directory.numbers(lengths_tag, most=MAX_PARTS)
        if not offsets or len(offsets) != len(lengths):
            raise invalid("its list of pixels does not add up")
        directory.source.require(
            max(offset + length for offset, length in zip(offsets, lengths, strict=True))
        )
        return sum(lengths)
    raise truncated("it has no pixels")
