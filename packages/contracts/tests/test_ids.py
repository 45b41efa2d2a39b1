import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.contracts.ids import (
    ALPHABET,
    IMAGE_PREFIXES,
    InvalidId,
    Prefix,
    decode_id,
    decode_image_id,
    encode_id,
    new_id,
)

BIGGEST = UUID(int=2**128 - 1)


@given(prefix=st.sampled_from(Prefix), value=st.uuids())
def test_id_comes_back_from_its_public_form(prefix: Prefix, value: UUID) -> None:
    assert decode_id(encode_id(prefix, value), prefix) == value


@given(one=st.uuids(), other=st.uuids())
def test_public_ids_sort_as_their_values_do(one: UUID, other: UUID) -> None:
    texts = encode_id(Prefix.IMAGE_PARTR, one), encode_id(Prefix.IMAGE_PARTR, other)
    assert (texts[0] < texts[1]) == (one < other)


@given(value=st.uuids())
def test_public_id_is_a_prefix_and_24_base62_characters(value: UUID) -> None:
    prefix, _, body = encode_id(Prefix.ALBUM, value).partition("_")
    assert prefix == "alb"
    assert len(body) == 24
    assert set(body) <= set(ALPHABET)


@given(text=st.text())
def test_any_other_text_is_an_invalid_id_and_nothing_worse(text: str) -> None:
    with pytest.raises(InvalidId):
        decode_id(text, *Prefix)


@given(text=st.text(alphabet=ALPHABET, min_size=24, max_size=24))
def test_body_decodes_to_one_value_with_one_spelling_or_not_at_all(text: str) -> None:
    try:
        value = decode_id(f"img_{text}", Prefix.IMAGE_PARTR)
    except InvalidId:
        assert text > encode_id(Prefix.IMAGE_PARTR, BIGGEST).partition("_")[2]
    else:
        assert encode_id(Prefix.IMAGE_PARTR, value) == f"img_{text}"


@pytest.mark.parametrize(
    "text",
    [
        encode_id(Prefix.ALBUM, BIGGEST),
        encode_id(Prefix.IMAGE_PARTR, BIGGEST)[:-1],
        encode_id(Prefix.IMAGE_PARTR, BIGGEST) + "0",
        "img_" + "z" * 24,
        "img_" + "-" * 24,
        "IMG_" + "0" * 24,
        "img" + "0" * 24,
        "img_" + "\u0660" * 24,
    ],
    ids=["foreign", "short", "long", "overflow", "alphabet", "case", "joined", "arabic digits"],
)
def test_near_miss_is_an_invalid_id(text: str) -> None:
    with pytest.raises(InvalidId):
        decode_id(text, Prefix.IMAGE_PARTR)


@given(value=st.uuids())
def test_image_is_found_under_each_of_its_spellings(value: UUID) -> None:
    spellings = [encode_id(prefix, value) for prefix in IMAGE_PREFIXES]
    assert {decode_image_id(text) for text in (*spellings, str(value))} == {value}


@pytest.mark.parametrize(
    "text",
    ["{%s}", "urn:uuid:%s", " %s", "%s ", "alb_%s"],
    ids=["braces", "urn", "leading space", "trailing space", "other prefix"],
)
def test_bare_uuid_has_one_spelling(text: str) -> None:
    with pytest.raises(InvalidId):
        decode_image_id(text % BIGGEST)


def test_ids_are_version_7_and_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_made_at_once_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
