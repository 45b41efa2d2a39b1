"""What a caller asks for besides the bytes: every field checked, in one place."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from darkroom.contracts.ids import InvalidId, Prefix, decode_id
from darkroom.contracts.images import Visibility
from darkroom.contracts.recipes import Preset
from darkroom.upload.domain.errors import AlbumNotFound, InvalidField

ALBUM: Final = "album_id"
PRESET: Final = "preset"
VISIBILITY: Final = "visibility"
TITLE: Final = "title"
TAGS: Final = "tags"
FIELDS: Final = frozenset({ALBUM, PRESET, VISIBILITY, TITLE, TAGS})
# A title is one line to show; as long as a file name, which often becomes one.
MAX_TITLE: Final = 255
# Tags are words to find a picture by; 50 is what photo libraries allow.
MAX_TAGS: Final = 50
MAX_TAG: Final = 64

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Submission:
    filename: str | None = None
    album_id: str | None = None
    preset: Preset = Preset.OPTIMIZE
    visibility: Visibility = Visibility.UNLISTED
    title: str | None = None
    tags: tuple[str, ...] = ()


def read_submission(fields: Mapping[str, str], *, filename: str | None) -> Submission:
    """Check the form's text fields; raises InvalidField naming the first that is wrong."""
    return Submission(
        filename=filename,
        preset=_choice(fields, PRESET, Preset.OPTIMIZE),
        visibility=_choice(fields, VISIBILITY, Visibility.UNLISTED),
        title=_title(fields.get(TITLE, "")),
        tags=_tags(fields.get(TAGS, "")),
        album_id=_album(fields.get(ALBUM)),
    )


def _choice(fields: Mapping[str, str], name: str, default: Choice) -> Choice:
    kind = type(default)
    try:
        return kind(fields.get(name, default))
    except ValueError as error:
        allowed = ", ".join(kind)
        raise InvalidField(name, f"The {name} must be one of {allowed}.") from error


def _album(album_id: str | None) -> str | None:
    # A form sends what its reader left blank.
    if album_id is None or not album_id.strip():
        return None
    try:
        decode_id(album_id, Prefix.ALBUM)
    except InvalidId as error:
        raise AlbumNotFound from error
    return album_id


def _title(text: str) -> str | None:
    title = text.strip()
    if len(title) > MAX_TITLE:
        raise InvalidField(TITLE, f"The title has more than {MAX_TITLE} characters.")
    _check_printable(TITLE, title)
    return title or None


def _tags(text: str) -> tuple[str, ...]:
    """Return the tags in order, each once."""
    tags = tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))
    if len(tags) > MAX_TAGS:
        raise InvalidField(TAGS, f"There are more than {MAX_TAGS} tags.")
    for tag in tags:
        if len(tag) > MAX_TAG:
            raise InvalidField(TAGS, f"A tag has more than {MAX_TAG} characters.")
        _check_printable(TAGS, tag)
    return tags


def _check_printable(name: str, text: str) -> None:
    # A NUL cannot even be stored; the rest of them belongs in no title either.
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidField(name, f"The {name} must not contain control characters.")
