"""The one thing kept of a file's metadata: who holds the right to the picture."""

import contextlib
import struct
from typing import Final

from PIL import ExifTags, Image

_COPYRIGHT: Final = ExifTags.Base.Copyright
_ARTIST: Final = ExifTags.Base.Artist
_PNG_TEXTS: Final = {"Copyright": _COPYRIGHT, "Author": _ARTIST}
# A notice is a line; anything longer is a hiding place.
MAX_CHARACTERS: Final = 300

# What Pillow raises on metadata that is not what it claims: the picture is fine without it.
METADATA_FAULTS: Final = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    struct.error,
)

# Tag number to text.
Notice = dict[int, str]


def read_notice(image: Image.Image) -> Notice:
    """Find the copyright and artist lines in EXIF, or in a PNG's texts."""
    texts = {tag: image.info.get(name) for name, tag in _PNG_TEXTS.items()}
    try:
        exif = image.getexif()
        texts |= {tag: exif[tag] for tag in (_COPYRIGHT, _ARTIST) if tag in exif}
    except METADATA_FAULTS:
        return {}
    return {tag: line for tag, text in texts.items() if (line := _line(text))}


def _line(text: object) -> str:
    if not isinstance(text, str):
        return ""
    # Cameras write UTF-8 where EXIF means ASCII, and Pillow reads it as Latin-1.
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    return "".join(c for c in text if c.isprintable())[:MAX_CHARACTERS].strip()


def as_exif(notice: Notice) -> bytes:
    """Write the lines as the smallest EXIF block, or nothing."""
    if not notice:
        return b""
    exif = Image.Exif()
    for tag, line in notice.items():
        # Bytes, because Pillow would turn every character outside ASCII into a question mark.
        exif[tag] = line.encode()
    return exif.tobytes()
