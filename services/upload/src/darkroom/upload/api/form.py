"""An upload form, read while it arrives: fields into memory, the file into a spool.

Every limit is checked on the piece that crosses it, so no form can make the service hold more than
one network read and its own bounds.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from darkroom.upload.api.disposition import read_disposition
from darkroom.upload.domain.errors import (
    FILE,
    FileTooLarge,
    InvalidField,
    MalformedForm,
    MissingField,
)
from darkroom.upload.domain.filename import clean_filename
from darkroom.upload.domain.submission import FIELDS

# What the HTTP contract allows on every surface.
MAX_PARTS: Final = 64
# A part has two or three headers; a file name of 10 kB, all percent-encoded, still fits.
MAX_PART_HEADERS: Final = 16
MAX_HEADER_BYTES: Final = 32 * 1024
# Fifty tags of 64 characters, four bytes each, are 13 kB.
MAX_FIELD_BYTES: Final = 16 * 1024
# Everything that is neither the file nor a field nobody asked for: boundaries, headers, preamble.
MAX_FRAMING_BYTES: Final = 256 * 1024


class _Part(Enum):
    HEADERS = auto()
    FILE = auto()
    FIELD = auto()
    IGNORED = auto()


class UploadForm:
    """Takes bytes in by `feed`; the file's go on to `take_file` as they come."""

    def __init__(
        self, boundary: bytes, *, file_limit_bytes: int, take_file: Callable[[memoryview], None]
    ) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.file_bytes = 0
        self._file_limit_bytes = file_limit_bytes
        self._take_file = take_file
        self._part = _Part.HEADERS
        self._parts = self._received_bytes = self._content_bytes = 0
        self._header_name, self._header_value = bytearray(), bytearray()
        self._disposition: bytes | None = None
        self._field_name, self._field_value = "", bytearray()
        self._has_file = self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._take_header_name,
                "on_header_value": self._take_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_content,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )

    def feed(self, piece: bytes) -> None:
        """Read on; raises the refusal of whatever limit the piece crosses."""
        self._received_bytes += len(piece)
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise MalformedForm(reason=str(error)) from error
        if self._received_bytes - self._content_bytes > MAX_FRAMING_BYTES:
            raise MalformedForm("The form has too much around its fields.")
        # Fields nobody asked for may be as large as the file may be, and no larger.
        if self._content_bytes - self.file_bytes > self._file_limit_bytes:
            raise FileTooLarge(self._file_limit_bytes)

    def finish(self) -> None:
        """Say that the body has ended; raises unless the form has ended as well, with a file."""
        if not self._is_complete:
            raise MalformedForm("The form ends before its closing boundary.")
        if not self._has_file:
            raise MissingField(FILE)

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedForm(f"The form has more than {MAX_PARTS} parts.")
        self._part, self._disposition = _Part.HEADERS, None

    def _take_header_name(self, piece: bytes, start: int, end: int) -> None:
        self._header_name += piece[start:end]

    def _take_header_value(self, piece: bytes, start: int, end: int) -> None:
        self._header_value += piece[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        name, filename = read_disposition(self._disposition or b"")
        if name == FILE:
            self._begin_file(filename)
        elif name in FIELDS:
            self._begin_field(name)
        else:
            self._part = _Part.IGNORED

    def _begin_file(self, filename: str | None) -> None:
        if self._has_file:
            raise InvalidField(FILE, "The form has more than one file; send one at a time.")
        self._part, self._has_file = _Part.FILE, True
        self.filename = clean_filename(filename or "")

    def _begin_field(self, name: str) -> None:
        if name in self.fields:
            raise InvalidField(name, f"The form has more than one field named {name}.")
        self._part, self._field_name = _Part.FIELD, name
        self._field_value.clear()

    def _take_content(self, piece: bytes, start: int, end: int) -> None:
        self._content_bytes += end - start
        if self._part is _Part.FILE:
            self.file_bytes += end - start
            if self.file_bytes > self._file_limit_bytes:
                raise FileTooLarge(self._file_limit_bytes)
            self._take_file(memoryview(piece)[start:end])
        elif self._part is _Part.FIELD:
            self._field_value += piece[start:end]
            if len(self._field_value) > MAX_FIELD_BYTES:
                raise InvalidField(self._field_name, f"The {self._field_name} is too long.")

    def _end_part(self) -> None:
        if self._part is _Part.FIELD:
            try:
                self.fields[self._field_name] = self._field_value.decode()
            except UnicodeDecodeError as error:
                message = f"The {self._field_name} is not UTF-8 text."
                raise InvalidField(self._field_name, message) from error

    def _end(self) -> None:
        self._is_complete = True
