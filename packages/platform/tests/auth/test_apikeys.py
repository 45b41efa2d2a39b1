import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.platform.auth import apikeys

KINDS = st.sampled_from(apikeys.KINDS)


@given(KINDS)
def test_a_minted_key_looks_valid_and_tells_its_kind(kind: str) -> None:
    key = apikeys.mint(kind)
    assert re.fullmatch(rf"{kind}_[1-9A-HJ-NP-Za-km-z]{{32}}", key)
    assert apikeys.looks_valid(key)
    assert apikeys.kind_of(key) == kind


@given(KINDS, st.data())
def test_key_02_any_one_changed_character_is_noticed(kind: str, draws: st.DataObject) -> None:
    key = apikeys.mint(kind)
    place = draws.draw(st.integers(len(kind) + 1, len(key) - 1))
    other = draws.draw(st.sampled_from(apikeys.ALPHABET.replace(key[place], "")))
    assert not apikeys.looks_valid(key[:place] + other + key[place + 1 :])


@given(KINDS, KINDS)
def test_a_key_does_not_pass_under_the_prefix_of_another_kind(kind: str, other: str) -> None:
    key = apikeys.mint(kind)
    assert apikeys.looks_valid(other + key[len(kind) :]) == (kind == other)


@given(st.text(max_size=50))
def test_any_other_text_is_no_key_and_breaks_nothing(text: str) -> None:
    assert not apikeys.looks_valid(text)
    assert apikeys.kind_of(text) is None


@pytest.mark.parametrize("change", ["{}\n", " {}", "{}\x00", "{}1", "PK{}"])
def test_a_key_with_anything_around_it_is_no_key(change: str) -> None:
    assert not apikeys.looks_valid(change.format(apikeys.mint("pk")))


def test_an_unknown_kind_is_not_minted() -> None:
    with pytest.raises(ValueError, match="not a kind"):
        apikeys.mint("render")


def test_minted_keys_do_not_repeat() -> None:
    assert len({apikeys.mint("pk") for _ in range(1_000)}) == 1_000
