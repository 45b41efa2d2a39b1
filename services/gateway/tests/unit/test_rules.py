from dataclasses import dataclass
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.contracts.surfaces import Surface
from darkroom.gateway.domain.address import client_address, hash_address
from darkroom.gateway.domain.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, Breaker
from darkroom.gateway.domain.credential import Credential, Kind, presented
from darkroom.gateway.domain.door import Doorkeeper, DoorRules
from darkroom.gateway.domain.framing import HeadLimits, refuse_head
from darkroom.gateway.domain.headers import (
    CLAIMS,
    CREDENTIALS,
    HOP_BY_HOP,
    connection_options,
    inward,
    outward,
)
from darkroom.gateway.domain.pace import Pace
from darkroom.platform.errors import Unauthenticated

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
NAMES = st.from_regex(rb"[a-z][a-z0-9_-]{0,20}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=20))))
def test_nothing_that_claims_identity_goes_inward(headers: list[tuple[bytes, bytes]]) -> None:
    kept = {name.encode() for name, _ in inward(headers, named_by_connection=frozenset())}
    assert not kept & (HOP_BY_HOP | CREDENTIALS | CLAIMS)
    assert not any(n.startswith((b"x-darkroom-", b"x-forwarded-", b"x-user-")) for n in kept)
    assert not any(b"_" in name for name in kept)


def test_headers_named_by_connection_stay_here() -> None:
    options = connection_options([b"keep-alive, X-Private", b"x-other"])
    headers = [(b"x-private", b"1"), (b"x-other", b"1"), (b"accept", b"*/*")]
    assert inward(headers, named_by_connection=options) == [("accept", "*/*")]


def test_replies_lose_what_is_of_the_inner_connection() -> None:
    headers = [(b"Server", b"x"), (b"Transfer-Encoding", b"chunked"), (b"ETag", b'"a"')]
    assert outward(headers) == [(b"etag", b'"a"')]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", b"198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", b"198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", b"6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", b"198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", b"198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("::ffff:10.0.0.1", b"198.51.100.1", "198.51.100.1"),
    ],
)
def test_only_trusted_proxies_speak_for_others(peer: str, forwarded: bytes, client: str) -> None:
    assert client_address(peer, (forwarded,), TRUSTED) == client


def test_an_ipv6_customer_is_one_address_and_the_salt_decides_its_name() -> None:
    salt = b"salt"
    assert hash_address("2001:db8::1", salt) == hash_address("2001:db8::2", salt)
    assert hash_address("2001:db8::1", salt) != hash_address("2001:db8:0:1::1", salt)
    assert hash_address("192.0.2.1", salt) == hash_address("::ffff:192.0.2.1", salt)
    assert hash_address("192.0.2.1", salt) != hash_address("192.0.2.1", b"other")


def test_partr_prefers_the_key_header_and_pichr_the_bearer() -> None:
    headers = [(b"x-api-key", b"pk_a"), (b"authorization", b"Bearer x.y.z")]
    key, session = Credential(Kind.KEY, "pk_a"), Credential(Kind.SESSION, "x.y.z")
    assert presented(headers, dict(headers), Surface.PARTR) == (key, session)
    assert presented(headers, dict(headers), Surface.PICHR) == (session, key)


def test_one_key_in_both_headers_is_one_credential() -> None:
    headers = [(b"x-api-key", b"live_a"), (b"authorization", b"bearer  live_a ")]
    assert presented(headers, dict(headers), Surface.PARTR) == (Credential(Kind.KEY, "live_a"),)


@pytest.mark.parametrize("value", [b"Basic dTpw", b"Bearer", b"Bearer ", b""])
def test_a_header_that_is_no_credential_is_refused(value: bytes) -> None:
    headers = [(b"authorization", value)]
    with pytest.raises(Unauthenticated):
        presented(headers, dict(headers), Surface.PARTR)


def test_a_credential_does_not_show_itself() -> None:
    assert "secret" not in repr(Credential(Kind.KEY, "pk_secret"))


def test_a_pace_is_judged_over_a_full_window_only() -> None:
    pace = Pace(bytes_per_second=10, window_seconds=3)
    for received in (0, 0):
        pace.second_passed(received)
        assert not pace.is_too_slow
    pace.second_passed(29)
    assert pace.is_too_slow
    pace.second_passed(30)
    assert not pace.is_too_slow


def test_an_open_breaker_lets_one_probe_through_per_interval() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admits(0.0)
        breaker.refused(0.0)
    assert not breaker.admits(OPEN_SECONDS / 2)
    assert breaker.admits(OPEN_SECONDS)
    assert not breaker.admits(OPEN_SECONDS)
    breaker.connected()
    assert breaker.admits(OPEN_SECONDS)


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ([(b"host", b"a.example:8787")], False),
        ([(b"host", b"[::1]:80")], False),
        ([(b"host", b"")], False),
        ([(b"host", b"a"), (b"transfer-encoding", b"chunked")], False),
        ([(b"host", b"a b")], True),
        ([(b"host", b"u@a")], True),
        ([(b"host", b"a"), (b"transfer-encoding", b"Chunked")], True),
        ([(b"host", b"a"), (b"upgrade", b"h2c"), (b"content-length", b"2")], True),
    ],
)
def test_heads_that_could_be_read_twice_are_refused(
    headers: list[tuple[bytes, bytes]], *, is_refused: bool
) -> None:
    assert (refuse_head("1.1", headers) is not None) == is_refused


@dataclass(eq=False)
class FakeConnection:
    is_idle: bool = False
    is_dismissed: bool = False

    def dismiss(self) -> None:
        self.is_dismissed = True


@pytest.fixture
def keeper() -> Doorkeeper:
    rules = DoorRules(
        head=HeadLimits(100, 100, 10),
        head_seconds=1,
        body_bytes_per_second=1,
        body_grace_seconds=1,
        body_seconds=1,
        reply_bytes_per_second=1,
        reply_grace_seconds=1,
        connections=3,
        connections_per_address=2,
        trusted_proxies=TRUSTED,
    )
    return Doorkeeper(rules)


def test_one_address_holds_no_more_than_its_share(keeper: Doorkeeper) -> None:
    first, second, third = (FakeConnection() for _ in range(3))
    assert keeper.admit(first, "192.0.2.1")
    assert keeper.admit(second, "192.0.2.1")
    assert not keeper.admit(third, "192.0.2.1")
    keeper.release(first)
    assert keeper.admit(third, "192.0.2.1")


def test_a_trusted_proxy_is_not_counted(keeper: Doorkeeper) -> None:
    assert all(keeper.admit(FakeConnection(), "10.0.0.1") for _ in range(3))


def test_a_full_house_dismisses_the_oldest_idle_connection(keeper: Doorkeeper) -> None:
    held = [FakeConnection(is_idle=index > 0) for index in range(3)]
    for index, connection in enumerate(held):
        assert keeper.admit(connection, f"192.0.2.{index}")
    assert keeper.admit(FakeConnection(), "192.0.2.9")
    assert [connection.is_dismissed for connection in held] == [False, True, False]
    held[2].is_idle = False
    assert not keeper.admit(FakeConnection(), "192.0.2.10")
