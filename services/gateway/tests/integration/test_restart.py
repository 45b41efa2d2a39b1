import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

REQUEST = b"GET /storage/uploads/img_1.jpg HTTP/1.1\r\nHost: a\r\n\r\n"


class Client:
    """Asks over one kept connection, and notes each answer, until it is told to close."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: list[int] = []

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        is_kept = True
        while is_kept:
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            self.answers.append(int(head.split()[1]))
            is_kept = b"connection: close" not in head
        writer.close()


@pytest_asyncio.fixture
async def process(
    serve_app: Any, neighbour: Any, nats_settings: Any, tmp_path: Any, unused_tcp_port: int
) -> AsyncIterator[subprocess.Popen[bytes]]:
    service = await serve_app(neighbour, lifespan="off")
    environment = {
        "GATEWAY_HTTP__PORT": str(unused_tcp_port),
        "GATEWAY_ADMIN__PORT": "0",
        "GATEWAY_NATS__SERVERS": nats_settings.servers,
        "GATEWAY_PASSPORT_KEY_FILE": str(tmp_path / "passport.pem"),
        "GATEWAY_UPSTREAMS__AUTH": service,
        "GATEWAY_UPSTREAMS__UPLOAD": service,
        "GATEWAY_UPSTREAMS__CATALOG": service,
    }
    command = [sys.executable, "-m", "darkroom.gateway", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - returns at once
    yield process
    process.kill()
    process.wait()


async def test_h_07_a_restart_under_load_fails_no_request(
    process: subprocess.Popen[bytes], unused_tcp_port: int
) -> None:
    clients = [Client(unused_tcp_port) for _ in range(16)]
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
                writer.close()
                break
            except ConnectionError:
                await asyncio.sleep(0.05)
        load = asyncio.gather(*(client.run() for client in clients))
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        await load
        while process.poll() is None:
            await asyncio.sleep(0.05)
    assert all(client.answers for client in clients)
    assert {status for client in clients for status in client.answers} == {200}
    assert process.returncode in {0, -signal.SIGTERM}
