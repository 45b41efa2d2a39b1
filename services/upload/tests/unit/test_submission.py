from uuid import UUID

import pytest

from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.images import Visibility
from darkroom.contracts.recipes import Preset
from darkroom.platform.errors import Rejected
from darkroom.upload.domain.errors import AlbumNotFound, InvalidField
from darkroom.upload.domain.submission import Submission, read_submission

ALBUM = encode_id(Prefix.ALBUM, UUID("0198f0e8-7c00-7000-8000-000000000001"))


def test_without_fields_the_defaults_hold() -> None:
    assert read_submission({}, filename="a.jpg") == Submission(filename="a.jpg")


def test_every_field_is_read() -> None:
    fields = {
        "album_id": ALBUM,
        "preset": "enhance",
        "visibility": "private",
        "title": " At the sea ",
        "tags": "sea, summer,,sea , \U0001f30a",
    }
    assert read_submission(fields, filename=None) == Submission(
        album_id=ALBUM,
        preset=Preset.ENHANCE,
        visibility=Visibility.PRIVATE,
        title="At the sea",
        tags=("sea", "summer", "\U0001f30a"),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preset", "sepia"),
        ("preset", ""),
        ("visibility", "PUBLIC"),
        ("title", "x" * 256),
        ("title", "a\x00b"),
        ("tags", "x" * 65),
        ("tags", ",".join(str(number) for number in range(51))),
        ("tags", "a\nb"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        read_submission({field: value}, filename=None)
    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_album_id_left_blank_means_the_default_album(blank: str) -> None:
    assert read_submission({"album_id": blank}, filename=None).album_id is None


@pytest.mark.parametrize("album_id", ["your-album-id", "img_" + ALBUM[4:], ALBUM + "0", "7"])
def test_an_album_id_that_cannot_be_read_is_an_album_that_is_not_there(album_id: str) -> None:
    with pytest.raises(AlbumNotFound) as refusal:
        read_submission({"album_id": album_id}, filename=None)
    assert isinstance(refusal.value, Rejected)
