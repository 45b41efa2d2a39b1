from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog.domain.disposition import attachment, safe_filename
from darkroom.contracts.images import ImageFormat


@pytest.mark.parametrize(
    ("given_name", "wanted"),
    [
        ("photo.jpg", "photo.jpg"),
        ("photo.JPEG", "photo.JPEG"),
        ("photo.html", "photo.jpg"),
        ("photo", "photo.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\temp\\cat.jpg", "cat.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie x.jpg"),
        ("x\u202egpj.exe", "xgpj.jpg"),
        ('say "hi".jpg', "say hi.jpg"),
        (".jpg", "jpg.jpg"),
        ("...", "img_1.jpg"),
        ("", "img_1.jpg"),
        (None, "img_1.jpg"),
        ("été.jpg", "été.jpg"),
    ],
)
def test_pub_03_a_download_keeps_a_harmless_name_with_its_true_extension(
    given_name: str | None, wanted: str
) -> None:
    assert safe_filename(given_name, fallback_stem="img_1", image_format=ImageFormat.JPEG) == wanted


def test_a_foreign_name_has_an_ascii_fallback_beside_it() -> None:
    header = attachment("漢字.jpg", fallback_stem="img_1", image_format=ImageFormat.JPEG)
    assert header == ("attachment; filename=\"img_1.jpg\"; filename*=UTF-8''%E6%BC%A2%E5%AD%97.jpg")


@given(st.text(max_size=400), st.sampled_from(ImageFormat))
def test_pub_03_no_name_breaks_out_of_the_header(name: str, image_format: ImageFormat) -> None:
    header = attachment(name, fallback_stem="img_1", image_format=image_format)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert len(header) < 1_500
    saved = unquote(header.partition("UTF-8''")[2])
    assert "/" not in saved
    assert "\\" not in saved
    assert not saved.startswith(".")
