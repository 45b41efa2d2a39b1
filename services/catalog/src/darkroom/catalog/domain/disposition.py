"""Names of downloads: `Content-Disposition` by RFC 6266, from names that nobody trusts."""

import unicodedata
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from darkroom.contracts.images import ImageFormat

# Long enough for any camera, short enough for every file system once percent-encoded.
LONGEST_STEM: Final = 80
# Path separators, what Windows forbids in names, and what ends a quoted string.
_FORBIDDEN: Final = frozenset('/\\:*?"<>|;%')
_SPELLINGS: Final = {
    ImageFormat.JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    ImageFormat.TIFF: (".tif", ".tiff"),
    ImageFormat.HEIC: (".heic", ".heif"),
}


def attachment(filename: str | None, *, fallback_stem: str, image_format: ImageFormat) -> str:
    """Return the header that saves the file under its own name, with an extension that fits."""
    name = safe_filename(filename, fallback_stem=fallback_stem, image_format=image_format)
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    if ascii_name != name:
        stem = ascii_name.rpartition(".")[0].strip()
        ascii_name = ascii_name if stem else f"{fallback_stem}.{image_format.extension}"
    # RFC 5987's attr-char is what `quote` leaves alone, but for the safe characters named here.
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"


def safe_filename(filename: str | None, *, fallback_stem: str, image_format: ImageFormat) -> str:
    """Keep the stem, drop folders, controls and direction marks, and set the true extension."""
    last = PurePosixPath((filename or "").replace("\\", "/")).name
    kept = "".join(character for character in last if _may_stand(character)).strip(" .")
    stem, dot, extension = kept.rpartition(".")
    spellings = _SPELLINGS.get(image_format, (f".{image_format.extension}",))
    if dot and f".{extension.lower()}" in spellings:
        return f"{stem[:LONGEST_STEM].strip(' .') or fallback_stem}.{extension}"
    stem = (stem if dot else kept)[:LONGEST_STEM].strip(" .")
    return f"{stem or fallback_stem}.{image_format.extension}"


def _may_stand(character: str) -> bool:
    # Category C holds control characters, surrogates and marks that turn the writing direction.
    return character not in _FORBIDDEN and not unicodedata.category(character).startswith("C")
