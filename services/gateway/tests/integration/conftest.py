import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from darkroom.contracts.claims import ALL_SCOPES, DEFAULT_PLANS, CredentialKind, Principal
from darkroom.contracts.credentials import KEY_CHECK_PATH, SESSION_KEYS_PATH
from darkroom.contracts.ids import new_id
from darkroom.gateway.api.listen.connection import GuardedConnection
from darkroom.gateway.app import GatewayApp, create_app
from darkroom.gateway.settings import GatewaySettings, LimitSettings, UpstreamSettings
from darkroom.platform.auth.apikeys import mint
from darkroom.platform.auth.keys import SigningKey, public_key_set
from darkroom.platform.settings import HTTPSettings, NatsSettings
from darkroom.testing.fixtures.web import AppServer


@dataclass
class Seen:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Neighbour:
    """Every service behind the gateway: answers anything, and remembers what reached it."""

    seen: list[Seen] = field(default_factory=list)
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b"{}"
    # Set when a client's disappearance has reached us.
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    received_bytes: int = 0
    answers_early: bool = False
    hangs: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/-/ready":
            await self._send(send, 200, [], b"{}")
            return
        body = b"" if self.answers_early else await self._read(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.seen.append(Seen(scope["method"], scope["path"], query, headers, body))
        if self.hangs:
            await receive()
            self.abandoned.set()
            return
        await self._send(send, self.status, self.headers, self.body)

    async def _read(self, receive: Any) -> bytes:
        pieces: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.abandoned.set()
                return b"".join(pieces)
            pieces.append(message["body"])
            self.received_bytes += len(message["body"])
            if not message["more_body"]:
                return b"".join(pieces)

    @staticmethod
    async def _send(send: Any, status: int, headers: Any, body: bytes) -> None:
        head = [(b"content-length", str(len(body)).encode()), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Auth:
    """The auth service's two questions, with a count of how often they were asked."""

    signing_key: SigningKey
    holders: dict[str, Principal] = field(default_factory=dict)
    asked: int = 0
    status: int | None = None
    delay_seconds: float = 0.0

    def add_key(self, principal: Principal | None = None) -> tuple[str, Principal]:
        key = mint("pk")
        self.holders[key] = principal or Principal(
            credential=CredentialKind.KEY,
            account_id=new_id(),
            key_id=new_id(),
            scopes=ALL_SCOPES,
            limits=DEFAULT_PLANS["free"],
        )
        return key, self.holders[key]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body: Any = {"path": scope["path"]}
        status = self.status or 200
        if scope["path"] == SESSION_KEYS_PATH:
            body = public_key_set(self.signing_key)
        if scope["path"] == KEY_CHECK_PATH:
            self.asked += 1
            holder = self.holders.get(json.loads((await receive())["body"])["key"])
            await asyncio.sleep(self.delay_seconds)
            status = self.status or (401 if holder is None else 200)
            body = {"principal": holder.model_dump(mode="json")} if holder else {}
        payload = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})


@dataclass
class Raw:
    """A client that writes bytes, not requests."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = text.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split()[1]), headers

    async def reply(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = await self.head()
        return status, headers, await self.reader.readexactly(int(headers["content-length"]))

    async def is_closed(self, *, within: float = 3.0) -> bool:
        async with asyncio.timeout(within):
            return await self.reader.read() == b""


@dataclass
class Gateway:
    url: str
    app: GatewayApp

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.app.service.state.service_port}"


GatewayFactory = Callable[..., Awaitable[Gateway]]
RawFactory = Callable[[], Awaitable[Raw]]


@pytest_asyncio.fixture
async def auth(signing_key: SigningKey) -> Auth:
    return Auth(signing_key)


@pytest_asyncio.fixture
async def neighbour() -> Neighbour:
    return Neighbour()


@pytest.fixture
def start_gateway(
    serve_app: AppServer,
    auth: Auth,
    neighbour: Neighbour,
    nats_settings: NatsSettings,
    tmp_path: Path,
) -> GatewayFactory:
    async def start(
        *, limits: LimitSettings | None = None, upstreams: dict[str, Any] | None = None, **more: Any
    ) -> Gateway:
        service_url = await serve_app(neighbour, lifespan="off")
        places: dict[str, Any] = {
            "auth": await serve_app(auth, lifespan="off"),
            "upload": service_url,
            "catalog": service_url,
        }
        settings: dict[str, Any] = {
            "admin": HTTPSettings(),
            "nats": nats_settings,
            "upstreams": UpstreamSettings(**places | (upstreams or {})),
            "limits": limits or LimitSettings(),
            "passport_key_file": tmp_path / "passport.pem",
        }
        app = create_app(GatewaySettings(**settings | more))
        url = await serve_app(app, http=GuardedConnection, lifespan="on")
        # What was learnt about keys before the first connection to the broker is forgotten at it.
        await app.service.state.resources.bus.wait_connected()
        return Gateway(url, app)

    return start


@pytest_asyncio.fixture
async def gateway(start_gateway: GatewayFactory) -> Gateway:
    return await start_gateway()


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Callable[[Gateway], Awaitable[Raw]]]:
    writers = []

    async def open_raw(gateway: Gateway) -> Raw:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writers.append(writer)
        return Raw(reader, writer)

    yield open_raw
    for writer in writers:
        writer.close()
