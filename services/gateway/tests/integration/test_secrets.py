import asyncio
import socket
from typing import Any

import aiohttp
import pytest

MEDIA = "/storage/uploads/img_1.jpg?t=a-capability"


@pytest.mark.parametrize(
    ("answer", "status", "cause"),
    [
        (b"HTTP/9 nonsense\r\n\r\n", 502, "ClientResponseError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 502, "ClientResponseError"),
        (b"", 503, "ServerDisconnectedError"),
        (None, 504, "SocketTimeoutError"),
    ],
)
async def test_a_failing_service_is_logged_without_tokens_and_passports(
    start_gateway: Any,
    http: aiohttp.ClientSession,
    capsys: pytest.CaptureFixture[str],
    answer: bytes | None,
    status: int,
    cause: str,
) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(misbehave, "127.0.0.1", 0) as server:
        catalog = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gateway = await start_gateway(upstreams={"catalog": catalog, "reply_seconds": 0.2})
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == status
    logged = capsys.readouterr().out
    assert cause in logged
    assert "a-capability" not in logged
    assert "passport" not in logged


async def test_a_service_that_accepts_nothing_is_logged_without_tokens(
    start_gateway: Any, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        # With its queue full, whoever else knocks gets no answer at all.
        listener.listen(0)
        first.connect(listener.getsockname())
        catalog = f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway = await start_gateway(upstreams={"catalog": catalog, "connect_seconds": 0.1})
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == 503
    logged = capsys.readouterr().out
    assert "ConnectionTimeoutError" in logged
    assert "a-capability" not in logged
