from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.errors import LinkRefused

KEY = CapabilityKey(b"k" * 32)
PATH = "/storage/processed/img_0001.jpg"
HOUR = timedelta(hours=1)


def test_a_link_opens_its_path_until_it_expires(now: datetime) -> None:
    token = KEY.sign(PATH, expires_at=now + HOUR, url_version=7)
    assert KEY.verify(token, PATH, now=now) == 7
    assert KEY.verify(token, PATH, now=now + HOUR - timedelta(seconds=1)) == 7
    with pytest.raises(LinkRefused):
        KEY.verify(token, PATH, now=now + HOUR)


def test_a_link_opens_no_other_path_and_no_other_installation(now: datetime) -> None:
    token = KEY.sign(PATH, expires_at=now + HOUR, url_version=1)
    with pytest.raises(LinkRefused):
        KEY.verify(token, PATH.replace("processed", "uploads"), now=now)
    with pytest.raises(LinkRefused):
        CapabilityKey(b"x" * 32).verify(token, PATH, now=now)


def test_no_changed_character_is_taken(now: datetime) -> None:
    token = KEY.sign(PATH, expires_at=now + HOUR, url_version=1)
    # The last of 38 characters carries 4 bits, two of which decoders drop.
    for place in range(len(token) - 1):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkRefused):
            KEY.verify(changed, PATH, now=now)


@given(st.text(max_size=60))
def test_no_text_but_a_link_is_taken_and_none_breaks_the_reader(text: str) -> None:
    with pytest.raises(LinkRefused):
        KEY.verify(text, PATH, now=datetime.fromisoformat("2024-01-15T12:00:00+00:00"))


def test_a_token_is_short_and_safe_in_a_url(now: datetime) -> None:
    token = KEY.sign(PATH, expires_at=now + HOUR, url_version=1)
    assert len(token) == 38
    assert token.replace("-", "").replace("_", "").isalnum()
