import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.upload.domain.filename import MAX_CHARACTERS, clean_filename


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("a\x00b.jpg", "ab.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("a.jpg.html", "a.jpg.html"),
        ("\U0001f600 \u0639\u0631\u0628\u064a.jpg", "\U0001f600 \u0639\u0631\u0628\u064a.jpg"),
        ("\U0001f468\u200d\U0001f469.jpg", "\U0001f468\u200d\U0001f469.jpg"),
        ("  spaced .jpg  ", "spaced .jpg"),
        ("", None),
        ("..", None),
        ("a/b/", None),
        ("\x07", None),
    ],
)
def test_up_25_a_name_is_text_and_nothing_else(name: str, kept: str | None) -> None:
    assert clean_filename(name) == kept


def test_up_25_a_name_of_10_kb_keeps_its_beginning_and_its_ending() -> None:
    kept = clean_filename("x" * 10_000 + ".jpeg")
    assert kept is not None
    assert (len(kept), kept[-6:]) == (MAX_CHARACTERS, "x.jpeg")


@given(st.text(max_size=400))
def test_up_25_any_text_becomes_a_name_that_can_be_shown(name: str) -> None:
    kept = clean_filename(name)
    assert kept is None or 0 < len(kept) <= MAX_CHARACTERS
    assert not any(unicodedata.category(character) == "Cc" for character in kept or "")
    assert not set(kept or "") & set("/\\")
