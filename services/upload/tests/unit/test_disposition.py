import contextlib
import time

import pytest

from darkroom.upload.api.disposition import read_disposition
from darkroom.upload.domain.errors import MalformedForm


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (b'form-data; name="file"', None),
        (b'form-data; name="file"; filename="a.jpg"', "a.jpg"),
        (b"form-data; name=file; filename=a.jpg", "a.jpg"),
        (b'form-data;filename="a.jpg";name="file";', "a.jpg"),
        (b'form-data; name="file"; filename="\xc3\xbcber.jpg"', "\u00fcber.jpg"),
        (b'form-data; name="file"; filename="\xfcber.jpg"', "\u00fcber.jpg"),
        (b'form-data; name="file"; filename="a\\"b\\\\c.jpg"', 'a"b\\c.jpg'),
        (b'form-data; name="file"; filename="C:\\pictures\\a.jpg"', "C:\\pictures\\a.jpg"),
        (b'form-data; name="file"; filename="semi;colon.jpg"', "semi;colon.jpg"),
        (b"form-data; name=\"file\"; filename*=UTF-8''%F0%9F%98%80.jpg", "\U0001f600.jpg"),
        (b'form-data; name="file"; filename="a"; filename*=utf-8\'en\'b%20c', "b c"),
        (b"form-data; name=\"file\"; filename*=iso-8859-1''%FC.jpg", "\u00fc.jpg"),
        (b'form-data; name="file"; filename="a"; filename*=klingon\'\'b', "a"),
    ],
)
def test_a_file_name_is_read_in_every_spelling(header: bytes, filename: str | None) -> None:
    assert read_disposition(header) == ("file", filename)


@pytest.mark.parametrize(
    "header",
    [b"", b"attachment; name=file", b"form-data", b'form-data; name="file', b'form-data; "file"'],
)
def test_a_header_without_a_field_is_malformed(header: bytes) -> None:
    with pytest.raises(MalformedForm):
        read_disposition(header)


@pytest.mark.parametrize("part", [b';a="', b"; a=b", b";a=\\", b'; a="\\"', b" ", b";"])
def test_a_hostile_header_is_read_once(part: bytes) -> None:
    header = b"form-data; name=file" + part * (32_000 // len(part))
    begun_at = time.perf_counter()
    with contextlib.suppress(MalformedForm):
        read_disposition(header)
    assert time.perf_counter() - begun_at < 0.2
