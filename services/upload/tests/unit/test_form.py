import tracemalloc
from collections.abc import Callable

import pytest

from darkroom.platform.errors import Malformed, TooLarge
from darkroom.upload.api.form import MAX_PARTS, UploadForm
from darkroom.upload.domain.errors import FileTooLarge, InvalidField, MalformedForm, MissingField

ReadForm = Callable[..., tuple[UploadForm, bytes]]
FILE_PART = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
ALBUM_PART = b'--cut\r\nContent-Disposition: form-data; name="album_id"\r\n\r\nalb_1\r\n'
END = b"--cut--\r\n"


@pytest.mark.parametrize(
    "body",
    [FILE_PART + b"bytes\r\n" + ALBUM_PART + END, ALBUM_PART + FILE_PART + b"bytes\r\n" + END],
    ids=["file first", "album first"],
)
@pytest.mark.parametrize("piece_bytes", [1, 7, 65_536])
def test_fields_come_in_either_order_and_in_any_pieces(
    read_form: ReadForm, body: bytes, piece_bytes: int
) -> None:
    form, content = read_form(body, piece_bytes=piece_bytes)
    assert (form.fields, form.filename, content) == ({"album_id": "alb_1"}, "a.jpg", b"bytes")


def test_headers_are_read_in_any_case(read_form: ReadForm) -> None:
    body = (
        b'--cut\r\ncontent-type: image/gif\r\nCONTENT-DISPOSITION: Form-Data; NAME="file"\r\n\r\nx'
        b"\r\n" + END
    )
    assert read_form(body)[1] == b"x"


def test_bytes_that_look_like_a_boundary_belong_to_the_file(read_form: ReadForm) -> None:
    tricky = b"\r\n--cu\r\n--cuX\r\n-\r\r\n--CUT\r\n"
    assert read_form(FILE_PART + tricky + b"\r\n" + END, piece_bytes=3)[1] == tricky


def test_unknown_fields_are_ignored(read_form: ReadForm) -> None:
    other = b'--cut\r\nContent-Disposition: form-data; name="colour"\r\n\r\nred\r\n'
    form, _ = read_form(other + FILE_PART + b"x\r\n" + END)
    assert form.fields == {}


def test_an_empty_file_is_a_file(read_form: ReadForm) -> None:
    assert read_form(FILE_PART + b"\r\n" + END)[0].file_bytes == 0


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", MalformedForm),
        (b"not a form at all", MalformedForm),
        (FILE_PART + b"bytes", MalformedForm),
        (FILE_PART + b"bytes\r\n--cut\r\n", MalformedForm),
        (ALBUM_PART + END, MissingField),
        (b"--cut--\r\n", MissingField),
        (FILE_PART + b"a\r\n" + FILE_PART + b"b\r\n" + END, InvalidField),
        (ALBUM_PART + ALBUM_PART + FILE_PART + b"a\r\n" + END, InvalidField),
        (ALBUM_PART.replace(b"alb_1", b"\xff\xfe") + FILE_PART + b"a\r\n" + END, InvalidField),
        (b"--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END, MalformedForm),
        (b"--cut\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, MalformedForm),
        (b'--cut\r\nContent-Disposition: form-data; name="file\r\n\r\nx\r\n' + END, MalformedForm),
        (b"--cut\r\nbad header\r\n\r\nx\r\n" + END, MalformedForm),
    ],
)
def test_a_form_that_is_none_is_malformed(
    read_form: ReadForm, body: bytes, error: type[Malformed]
) -> None:
    with pytest.raises(error) as refusal:
        read_form(body)
    assert refusal.value.message.endswith(".")


def test_a_missing_file_names_the_field(read_form: ReadForm) -> None:
    with pytest.raises(MissingField) as refusal:
        read_form(ALBUM_PART + END)
    assert [error.field for error in refusal.value.errors] == ["file"]


@pytest.mark.parametrize(
    "body",
    [
        b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 10_000 + END,
        b"--cut\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"--cut\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"\r\n" * 5_000_000 + FILE_PART + b"x\r\n" + END,
        b"\r\n" + b"x" * 10_000_000 + FILE_PART + b"x\r\n" + END,
        FILE_PART + b"x\r\n" + END + b"x" * 10_000_000,
    ],
    ids=["10,000 parts", "1 MB header", "10,000 headers", "newlines", "preamble", "epilogue"],
)
def test_gw_14_bombs_in_the_framing_are_refused_in_flat_memory(
    read_form: ReadForm, body: bytes
) -> None:
    tracemalloc.start()
    with pytest.raises(MalformedForm):
        read_form(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_gw_14_sixty_four_parts_are_allowed(read_form: ReadForm) -> None:
    other = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    assert read_form(other * (MAX_PARTS - 1) + FILE_PART + b"x\r\n" + END)[1] == b"x"


def test_a_long_field_is_refused_by_name(read_form: ReadForm) -> None:
    title = b'--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\n' + b"x" * 20_000
    with pytest.raises(InvalidField) as refusal:
        read_form(title)
    assert refusal.value.errors[0].field == "title"


@pytest.mark.parametrize(("size", "fits"), [(9_999, True), (10_000, True), (10_001, False)])
def test_up_23_the_limit_is_exact(read_form: ReadForm, size: int, fits: bool) -> None:
    body = FILE_PART + b"x" * size + b"\r\n" + END
    if fits:
        assert len(read_form(body)[1]) == size
    else:
        with pytest.raises(FileTooLarge):
            read_form(body)


def test_up_23_the_piece_that_crosses_the_limit_is_refused_at_once() -> None:
    taken = bytearray()
    form = UploadForm(b"cut", file_limit_bytes=1_000, take_file=taken.extend)
    form.feed(FILE_PART + b"x" * 600)
    with pytest.raises(TooLarge):
        form.feed(b"x" * 600)
    assert len(taken) <= 1_000


def test_a_large_field_nobody_asked_for_is_not_read_without_end(read_form: ReadForm) -> None:
    other = b'--cut\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    with pytest.raises(TooLarge):
        read_form(other + b"x" * 20_000 + b"\r\n" + END)
