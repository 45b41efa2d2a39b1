import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog.domain.text import clean_text, is_storable


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("", None),
        (" \t\n", None),
        ("\x00", None),
        (" a\x00b ", "ab"),
        ("a\nb", "ab"),
        ("\ud800x", "x"),
        ("0123456789", "01234"),
        ("héllo 漢", "héllo"),
    ],
)
def test_a_line_keeps_what_can_be_stored_and_shown(text: str | None, wanted: str | None) -> None:
    assert clean_text(text, longest=5) == wanted


@given(st.text())
def test_a_clean_line_can_always_be_stored(text: str) -> None:
    cleaned = clean_text(text, longest=100)
    assert cleaned is None or (is_storable(cleaned) and cleaned.encode())


def test_prose_may_have_lines_but_no_nul() -> None:
    assert is_storable("two\nlines")
    assert not is_storable("nul\x00")
    assert not is_storable("\udfff")
