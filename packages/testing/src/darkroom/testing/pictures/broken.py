"""Damaged files, and files that are two things at once."""

import io
import random
import zipfile

from darkroom.testing.pictures.plain import jpeg, png


def truncated(content: bytes, fraction: float = 0.5) -> bytes:
    """Return the first part of a file; at least one byte is missing."""
    return content[: min(int(len(content) * fraction), len(content) - 1)]


def corrupted(content: bytes, *, seed: int = 1, flips: int = 200) -> bytes:
    """Return a file with bytes of its second half overwritten; the head stays as it was."""
    source, damaged = random.Random(seed), bytearray(content)
    for _ in range(flips):
        damaged[source.randrange(len(damaged) // 2, len(damaged))] = source.randrange(256)
    return bytes(damaged)


def jpeg_with_zip(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG that is a ZIP archive, too: archives are read from the end."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("payload.txt", "smuggled payload")
    return jpeg(width, height) + archive.getvalue()


def jpeg_with_html(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG with a page behind its end, for browsers that guess."""
    return jpeg(width, height) + b"<html><script>alert('smuggled payload')</script></html>"


def png_then_jpeg(width: int = 64, height: int = 48) -> bytes:
    """Return a valid PNG with a valid JPEG behind it."""
    return png(width, height) + jpeg(width * 2, height * 2)


def gif_script() -> bytes:
    """Return a script whose first bytes are a GIF's."""
    return b"GIF89a/*\0\0*/=1;<script>alert('smuggled payload')</script>"


def svg() -> bytes:
    """Return an SVG with a script in it."""
    return (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        b"<script>alert('smuggled payload')</script></svg>"
    )
