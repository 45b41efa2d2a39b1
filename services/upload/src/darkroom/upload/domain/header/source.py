"""Reads of exact length at any place in a file, through one small window."""

from collections.abc import Iterator
from typing import BinaryIO, Final, Literal

from darkroom.upload.domain.verdict import truncated

# Chunk headers lie a few kilobytes apart, so most reads are answered without asking the file.
WINDOW_BYTES: Final = 64 * 1024

Order = Literal["big", "little"]


class Source:
    """Every read past the end is a truncated file, so readers need no checks of their own."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self._start = 0
        self._window = b""

    def read(self, offset: int, length: int) -> bytes:
        self.require(offset + length)
        if length > WINDOW_BYTES:
            return self._load(offset, length)
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._window):
            self._window, self._start = self._load(offset, WINDOW_BYTES), offset
            begin = 0
        return self._window[begin : begin + length]

    def u8(self, offset: int) -> int:
        return self.read(offset, 1)[0]

    def u16(self, offset: int, order: Order = "big") -> int:
        return int.from_bytes(self.read(offset, 2), order)

    def u24(self, offset: int, order: Order = "big") -> int:
        return int.from_bytes(self.read(offset, 3), order)

    def u32(self, offset: int, order: Order = "big") -> int:
        return int.from_bytes(self.read(offset, 4), order)

    def uint(self, offset: int, width: int, order: Order = "big") -> int:
        return int.from_bytes(self.read(offset, width), order)

    def require(self, end: int) -> None:
        """Refuse the file as truncated unless it reaches to `end`."""
        if end > self.size:
            raise truncated()

    def pieces(self, offset: int, end: int, length: int) -> Iterator[tuple[int, bytes]]:
        """Give the bytes from `offset` to `end` in order, at most `length` at a time."""
        while offset < end:
            piece = self._load(offset, min(length, end - offset))
            if not piece:
                raise truncated()
            yield offset, piece
            offset += len(piece)

    def _load(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)
