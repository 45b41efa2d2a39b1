"""The verdict on a file: every sequence of bytes gets one, none raises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from darkroom.contracts.images import ImageFormat
from darkroom.contracts.problems import FieldError
from darkroom.upload.domain.errors import FILE, REFUSALS, UnsupportedFormat
from darkroom.upload.domain.header.bmp import read_bmp
from darkroom.upload.domain.header.gif import read_gif
from darkroom.upload.domain.header.heif import read_avif, read_heic
from darkroom.upload.domain.header.jpeg import read_jpeg
from darkroom.upload.domain.header.png import read_png
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.header.tiff import read_tiff
from darkroom.upload.domain.header.webp import read_webp
from darkroom.upload.domain.sniff import HEAD_BYTES, sniff
from darkroom.upload.domain.verdict import Picture, Refusal, Verdict

READERS: Final[Mapping[ImageFormat, Callable[[Source], Picture]]] = {
    ImageFormat.JPEG: read_jpeg,
    ImageFormat.PNG: read_png,
    ImageFormat.WEBP: read_webp,
    ImageFormat.GIF: read_gif,
    ImageFormat.AVIF: read_avif,
    ImageFormat.HEIC: read_heic,
    ImageFormat.TIFF: read_tiff,
    ImageFormat.BMP: read_bmp,
}


@dataclass(frozen=True, slots=True)
class Inspection:
    verdict: Verdict
    reason: str = ""
    picture: Picture | None = None

    def require_picture(self) -> Picture:
        """Return the picture, or raise the refusal that belongs to the verdict."""
        if self.picture is None:
            errors = (FieldError(field=FILE, message=self.reason),)
            raise REFUSALS[self.verdict](self.reason, errors=errors, verdict=self.verdict)
        return self.picture


def inspect_file(file: BinaryIO, size: int) -> Inspection:
    """Read a file's structure: a few kilobytes of most formats, and never a pixel."""
    source = Source(file, size)
    picture_format = sniff(source.read(0, min(size, HEAD_BYTES)))
    if picture_format is None:
        return Inspection(Verdict.UNSUPPORTED, UnsupportedFormat.public)
    try:
        return Inspection(Verdict.OK, picture=READERS[picture_format](source))
    except Refusal as refusal:
        return Inspection(refusal.verdict, refusal.reason)
