import json
from typing import Any

import pytest

MEDIA = "/storage/uploads/img_1.jpg"
HOST = b"Host: a\r\n"
GET = f"GET {MEDIA} HTTP/1.1\r\n".encode() + HOST
POST = f"POST {MEDIA} HTTP/1.1\r\n".encode() + HOST


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="gw_01"
        ),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", id="gw_01b"
        ),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", id="gw_02"),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", id="gw_02_same"),
        pytest.param(POST + b"Content-Length: +5\r\n\r\nabcde", id="gw_02_plus"),
        pytest.param(POST + b"Content-Length: 5, 5\r\n\r\nabcde", id="gw_02_list"),
        pytest.param(POST + b"Content-Length: 0x5\r\n\r\nabcde", id="gw_02_hex"),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="gw_03"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="gw_03_list"
        ),
        pytest.param(
            POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", id="gw_03_order"
        ),
        pytest.param(POST + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", id="gw_03_tab"),
        pytest.param(GET + b"X-A: b\r\n c\r\n\r\n", id="gw_03_fold"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", id="gw_03_chunk"),
        pytest.param(f"GET {MEDIA} HTTP/1.1\r\n\r\n".encode(), id="gw_04_none"),
        pytest.param(GET + HOST + b"\r\n", id="gw_04_two"),
        pytest.param(f"GET {MEDIA} HTTP/1.1\r\nHost: a/b@c\r\n\r\n".encode(), id="gw_04_path"),
        pytest.param(f"GET {MEDIA} HTTP/2.0\r\n".encode() + HOST + b"\r\n", id="version"),
        pytest.param(GET + b"X(a: b\r\n\r\n", id="name"),
        pytest.param(GET + b"Xa: b\x00c\r\n\r\n", id="nul"),
        pytest.param(GET + b"Expect: the-worst\r\n\r\n", id="expect"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="tls"),
    ],
)
async def test_bad_framing_is_400_and_the_connection_ends(
    gateway: Any, neighbour: Any, connect: Any, request_bytes: bytes
) -> None:
    raw = await connect(gateway)
    await raw.send(request_bytes + b"GET /storage/uploads/smuggled.jpg HTTP/1.1\r\n\r\n")
    status, headers, body = await raw.reply()
    assert (status, headers["connection"]) == (400, "close")
    assert json.loads(body)["code"] == "bad_request"
    assert headers["x-request-id"]
    raw.writer.write_eof()
    assert await raw.is_closed()
    assert neighbour.seen == []


async def test_gw_04_an_absolute_target_is_decided_by_its_path(
    gateway: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    await raw.send(b"GET http://other.example/-/ready HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (await raw.reply())[0] == 404
    await raw.send(f"GET http://other.example{MEDIA} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    assert (await raw.reply())[0] == 200
    assert [seen.path for seen in neighbour.seen] == [MEDIA]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /v1/" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /v1/" + b"a" * 9_000, 414),
        (GET + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (GET + b"X-A: " + b"a" * 60_000, 431),
        (GET + b"".join(b"X-%d: a\r\n" % n for n in range(1_000)) + b"\r\n", 431),
    ],
)
async def test_gw_05_a_head_over_its_limits_is_431_or_414(
    gateway: Any, neighbour: Any, connect: Any, request_bytes: bytes, status: int
) -> None:
    raw = await connect(gateway)
    await raw.send(request_bytes)
    found, _, body = await raw.reply()
    assert found == status
    if status == 414:
        # The path begins with /v1, so the refusal has img's shape.
        assert json.loads(body).keys() == {"type", "error", "status", "message", "errors"}
    raw.writer.write_eof()
    assert await raw.is_closed()
    assert neighbour.seen == []


async def test_pipelined_requests_are_answered_in_order(
    gateway: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    await raw.send(
        b"".join(b"GET /storage/uploads/a%d.jpg HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5))
    )
    for _ in range(5):
        assert (await raw.reply())[0] == 200
    assert [seen.path[-6:] for seen in neighbour.seen] == [f"/a{n}.jpg"[-6:] for n in range(5)]


async def test_an_upgrade_is_ignored(gateway: Any, connect: Any) -> None:
    raw = await connect(gateway)
    await raw.send(GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
    status, headers, _ = await raw.reply()
    assert (status, headers["connection"]) == (200, "close")
