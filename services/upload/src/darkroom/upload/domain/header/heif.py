"""AVIF and HEIF: walk the boxes, find the primary item's size, and see that its bytes are there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import (
    MAX_ITEMS,
    check_animation,
    check_frame,
    check_parts,
)
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import Picture, invalid, too_complex, truncated

# Boxes that hold the way from a movie to the table of its samples.
MOVIE_PATH: Final = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
FULL_BOX_BYTES: Final = 4
# Pieces of one item; coders write one, and libheif, too, stops at 32.
MAX_EXTENTS: Final = 32
# Track headers have times of 32 or 64 bits before the size, which closes them.
TRACK_SIZE_OFFSET: Final = {0: 76, 1: 88}
FIXED_POINT_BITS: Final = 16
# An index into the properties, whose top bit says that the property must be understood.
LONG_INDEX: Final = 0x7FFF
SHORT_INDEX: Final = 0x7F

Size = tuple[int, int]


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


@dataclass(slots=True)
class _Progress:
    format: ImageFormat
    boxes: int = 0
    primary: int | None = None
    has_meta: bool = False
    # By 1-based position among the properties; coders pad sizes, crops say what is shown of them.
    sizes: dict[int, Size] = field(default_factory=dict)
    crops: dict[int, Size] = field(default_factory=dict)
    properties: dict[int, list[int]] = field(default_factory=dict)
    samples: int = 1
    track: Size = (0, 0)
    has_content: bool = False


def read_avif(source: Source) -> Picture:
    return _read(source, ImageFormat.AVIF)


def read_heic(source: Source) -> Picture:
    return _read(source, ImageFormat.HEIC)


def _read(source: Source, picture_format: ImageFormat) -> Picture:
    seen = _Progress(picture_format)
    for box in _boxes(source, seen, 0, source.size):
        if box.kind == b"meta" and not seen.has_meta:
            seen.has_meta = True
            _read_meta(source, seen, box)
        elif box.kind == b"moov":
            _read_movie(source, seen, box)
    width, height = _primary_size(seen)
    check_frame(picture_format, width, height)
    check_animation(width, height, seen.samples)
    if not seen.has_content:
        raise truncated("it has no pixels")
    return Picture(picture_format, width, height, seen.samples)


def _boxes(source: Source, seen: _Progress, offset: int, end: int) -> Iterator[_Box]:
    while offset + 8 <= end:
        seen.boxes += 1
        check_parts(seen.boxes)
        length, kind, head = source.u32(offset), source.read(offset + 4, 4), 8
        if length == 1:
            length, head = source.uint(offset + 8, 8), 16
        elif length == 0:
            length = end - offset
        if length < head:
            raise invalid("a box is shorter than its own header")
        if offset + length > end:
            raise truncated("a box is longer than the file")
        yield _Box(kind, offset + head, offset + length)
        offset += length
    if offset < end and end == source.size:
        raise truncated("it ends within the header of a box")


def _read_meta(source: Source, seen: _Progress, meta: _Box) -> None:
    for box in _boxes(source, seen, meta.start + FULL_BOX_BYTES, meta.end):
        if box.kind == b"pitm":
            width = 4 if source.u8(box.start) else 2
            seen.primary = source.uint(box.start + FULL_BOX_BYTES, width)
        elif box.kind == b"iinf":
            width = 4 if source.u8(box.start) else 2
            _check_items(source.uint(box.start + FULL_BOX_BYTES, width))
        elif box.kind == b"iref":
            _check_references(source, seen, box)
        elif box.kind == b"iloc":
            _check_locations(source, seen, box)
        elif box.kind == b"iprp":
            _read_properties(source, seen, box)


def _check_items(count: int) -> None:
    if count > MAX_ITEMS:
        raise too_complex(f"it has more than {MAX_ITEMS:,} items")


def _check_references(source: Source, seen: _Progress, references: _Box) -> None:
    width = 4 if source.u8(references.start) else 2
    for box in _boxes(source, seen, references.start + FULL_BOX_BYTES, references.end):
        _check_items(source.u16(box.start + width))


def _check_locations(source: Source, seen: _Progress, box: _Box) -> None:
    reader = _LocationReader(source, box)
    for construction, extents in reader.items():
        for offset, length in extents:
            seen.has_content = seen.has_content or length > 0
            # Other constructions point into a box of the file, whose own end was checked.
            if construction == 0:
                source.require(offset + length)


class _LocationReader:
    """Reads `iloc`, whose numbers are as wide as its own header says."""

    def __init__(self, source: Source, box: _Box) -> None:
        self._source = source
        self._end = box.end
        self._version = source.u8(box.start)
        sizes = source.u16(box.start + FULL_BOX_BYTES)
        self._offset_bytes, self._length_bytes = sizes >> 12, sizes >> 8 & 0xF
        self._base_bytes = sizes >> 4 & 0xF
        self._index_bytes = sizes & 0xF if self._version else 0
        self._at = box.start + FULL_BOX_BYTES + 2

    def items(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Give each item's construction method and the places of its bytes."""
        id_bytes = 4 if self._version > 1 else 2
        count = self._take(id_bytes)
        _check_items(count)
        for _ in range(count):
            self._take(id_bytes)
            construction = self._take(2) & 0xF if self._version else 0
            self._take(2)
            base = self._take(self._base_bytes)
            extents = self._take(2)
            if extents > MAX_EXTENTS:
                raise too_complex("an item is scattered over the file")
            yield construction, [self._extent(base) for _ in range(extents)]

    def _extent(self, base: int) -> tuple[int, int]:
        self._take(self._index_bytes)
        return base + self._take(self._offset_bytes), self._take(self._length_bytes)

    def _take(self, width: int) -> int:
        if self._at + width > self._end:
            raise invalid("its list of places is cut short")
        value = self._source.uint(self._at, width) if width else 0
        self._at += width
        return value


def _read_properties(source: Source, seen: _Progress, properties: _Box) -> None:
    for box in _boxes(source, seen, properties.start, properties.end):
        if box.kind == b"ipco":
            for position, entry in enumerate(_boxes(source, seen, box.start, box.end), 1):
                _read_property(source, seen, entry, position)
        elif box.kind == b"ipma":
            _read_associations(source, seen, box)


def _read_property(source: Source, seen: _Progress, entry: _Box, position: int) -> None:
    if entry.kind == b"ispe":
        size = source.u32(entry.start + 4), source.u32(entry.start + 8)
        check_frame(seen.format, *size)
        seen.sizes[position] = size
    elif entry.kind == b"clap":
        width, below, height, beneath = (source.u32(entry.start + at) for at in range(0, 16, 4))
        if not (below and beneath):
            raise invalid("its crop has no size")
        seen.crops[position] = round(width / below), round(height / beneath)


def _read_associations(source: Source, seen: _Progress, box: _Box) -> None:
    version, has_long_index = source.u8(box.start), source.u8(box.start + 3) & 1
    id_bytes, index_bytes = (4 if version else 2), (2 if has_long_index else 1)
    mask = LONG_INDEX if has_long_index else SHORT_INDEX
    count = source.u32(box.start + FULL_BOX_BYTES)
    _check_items(count)
    at = box.start + FULL_BOX_BYTES + 4
    for _ in range(count):
        item, associations = source.uint(at, id_bytes), source.u8(at + id_bytes)
        at += id_bytes + 1
        seen.properties[item] = [
            source.uint(at + step * index_bytes, index_bytes) & mask for step in range(associations)
        ]
        at += associations * index_bytes


def _primary_size(seen: _Progress) -> Size:
    if not seen.has_meta:
        # A bare sequence has no items; the size of its track is the size of its frames.
        return seen.track
    if seen.primary is None:
        raise invalid("it does not say which picture is the main one")
    positions = seen.properties.get(seen.primary, ())
    size = next((seen.sizes[p] for p in positions if p in seen.sizes), None)
    if size is None:
        raise invalid("its main picture has no size")
    crop = next((seen.crops[p] for p in positions if p in seen.crops), size)
    return min(size[0], crop[0]), min(size[1], crop[1])


def _read_movie(source: Source, seen: _Progress, movie: _Box) -> None:
    pending = [movie]
    while pending:
        parent = pending.pop()
        for box in _boxes(source, seen, parent.start, parent.end):
            if box.kind in MOVIE_PATH:
                pending.append(box)
            elif box.kind == b"tkhd":
                _read_track_header(source, seen, box)
            elif box.kind == b"stsz":
                seen.samples = max(seen.samples, source.u32(box.start + 8))
                seen.has_content = True


def _read_track_header(source: Source, seen: _Progress, box: _Box) -> None:
    place = TRACK_SIZE_OFFSET.get(source.u8(box.start))
    if place is None:
        raise invalid("a track has no proper header")
    width, height = (source.u32(box.start + place + at) >> FIXED_POINT_BITS for at in (0, 4))
    seen.track = max(seen.track[0], width), max(seen.track[1], height)
