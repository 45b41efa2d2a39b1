"""The gateway beside nginx as a bare proxy, before the same service, in the same run.

First the real endpoint: the whole platform is started, and one image's record is read through the
gateway (auth, PostgreSQL and all) and through nginx straight from catalog with a ready-made
passport. Then a trivial service, where nothing but the proxies is measured.

    python -m benchmarks.gateway
    python -m benchmarks.gateway --upstream stack --seconds 10

The load is wrk's when it is on the PATH, else this file's own, which is slower than nginx and then
flatters us: it says so. Without nginx on the PATH the gateway is measured alone.
"""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import aiohttp
import psutil
import uvloop

from benchmarks.gateway_load import Target, measure, report
from darkroom.contracts.claims import (
    ALL_SCOPES,
    DEFAULT_PLANS,
    PASSPORT_HEADER,
    CredentialKind,
    Principal,
)
from darkroom.contracts.credentials import KEY_CHECK_PATH, KeyHolder
from darkroom.contracts.ids import new_id
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth.apikeys import mint
from darkroom.platform.auth.keys import load_or_create_signing_key
from darkroom.platform.auth.passport import PassportSigner
from darkroom.testing import pictures
from darkroom.testing.stack import Partr, free_port, start_stack, stop_stack

NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f;
  uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  upstream service {{ server 127.0.0.1:{service}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header {header} "{passport}";
    }}
  }}
}}
"""


class Trivial(asyncio.Protocol):
    """A service that answers the same small reply to everything, and who holds the key to auth."""

    def __init__(self, holder: bytes) -> None:
        self._holder = holder
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._received = rest[size:]
            body = self._holder if KEY_CHECK_PATH.encode() in head else b"{}" + b" " * 400
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            self._transport.write(b"content-length: %d\r\n\r\n%b" % (len(body), body))


async def serve_trivial(port: int, holder: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Trivial(holder), "127.0.0.1", port)
    await server.serve_forever()


@contextlib.contextmanager
def running(command: list[str], port: int, **more: str) -> Iterator[None]:
    """Run a server until the block ends; returns when its port answers."""
    environment = {**os.environ, **more}  # noqa: TID251 - a child process needs a whole environment
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start")
            time.sleep(0.05)  # noqa: TID251 - no loop runs here
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def trivial_upstream(home: Path) -> Iterator[tuple[Target, Target]]:
    """Run the gateway before the trivial service; give the gateway and the service itself."""
    service, port = free_port(), free_port()
    base = f"http://127.0.0.1:{service}"
    settings = {f"GATEWAY_UPSTREAMS__{name}": base for name in ("AUTH", "UPLOAD", "CATALOG")}
    settings |= {
        "GATEWAY_HTTP__PORT": str(port),
        "GATEWAY_ADMIN__PORT": "0",
        "GATEWAY_PASSPORT_KEY_FILE": str(home / "passport.pem"),
        "GATEWAY_TELEMETRY__LOG_LEVEL": "warning",
    }
    headers, path = {"X-API-Key": mint("pk")}, "/api/v1/images/img_000000000000000000000001"
    own = [sys.executable, "-m", "benchmarks.gateway", "--serve-trivial", str(service)]
    gateway = [sys.executable, "-m", "darkroom.gateway", "serve"]
    with running(own, service), running(gateway, port, **settings):
        yield Target("gateway", port, path, headers), Target("direct", service, path, {})


@contextlib.contextmanager
def stack_upstream(home: Path) -> Iterator[tuple[Target, Target]]:
    """Run the platform with one image; give the gateway and catalog itself."""
    port = free_port()
    stack = start_stack(home / "home", port)
    try:
        image_id = asyncio.run(_develop(stack.base_url, stack.key))
        catalog = _port_of(stack.process.pid, "darkroom.catalog", "serve")
        path = f"/api/v1/images/{image_id}"
        auth = _port_of(stack.process.pid, "darkroom.auth", "serve")
        holder = asyncio.run(_holder(f"http://127.0.0.1:{auth}", stack.key))
        passport = _passport(stack.home / "secrets" / "passport-key.pem", holder)
        gateway = Target("gateway", port, path, {"X-API-Key": stack.key})
        yield gateway, Target("direct", catalog, path, {PASSPORT_HEADER: passport})
    finally:
        stop_stack(stack.process)


async def _develop(base_url: str, key: str) -> str:
    async with aiohttp.ClientSession() as session:
        image = await Partr(session, base_url, key).develop(pictures.jpeg(640, 480))
    return str(image["id"])


async def _holder(auth_url: str, key: str) -> Principal:
    async with aiohttp.ClientSession() as session:
        reply = await session.post(auth_url + KEY_CHECK_PATH, json={"key": key})
        return KeyHolder.model_validate_json(await reply.read()).principal


def _passport(key_file: Path, principal: Principal) -> str:
    # A passport lives for a minute; dated ahead, this one outlives the run.
    signer, ahead = PassportSigner(load_or_create_signing_key(key_file)), int(time.time()) + 3_600
    return signer.sign(principal, surface=Surface.PARTR, client="benchmark", now=ahead)


def _port_of(pid: int, *words: str) -> int:
    for child in psutil.Process(pid).children(recursive=True):
        if all(word in child.cmdline() for word in words):
            listening = (c for c in child.net_connections() if c.status == psutil.CONN_LISTEN)
            return int(next(listening).laddr.port)
    raise SystemExit(f"no process runs {' '.join(words)}")


# In the order they are measured.
UPSTREAMS: Final = {"stack": stack_upstream, "trivial": trivial_upstream}


@contextlib.contextmanager
def nginx(home: Path, direct: Target) -> Iterator[Target | None]:
    """Run nginx as a bare proxy before the service, where there is an nginx."""
    if shutil.which("nginx") is None:
        print("nginx is not on the PATH: the gateway is measured alone, without a ratio.")
        yield None
        return
    port, passport = free_port(), direct.headers.get(PASSPORT_HEADER, "none")
    text = NGINX.format(
        home=home, service=direct.port, port=port, header=PASSPORT_HEADER, passport=passport
    )
    (home / "nginx.conf").write_text(text)
    with running(["nginx", "-p", str(home), "-c", str(home / "nginx.conf")], port):
        yield Target("nginx", port, direct.path, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upstream", choices=UPSTREAMS, help="only this one")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve-trivial", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_trivial:
        uvloop.run(serve_trivial(options.serve_trivial, _some_holder()))
        return
    for upstream in [options.upstream] if options.upstream else UPSTREAMS:
        compare(upstream, seconds=options.seconds, rounds=options.rounds)


def compare(upstream: str, *, seconds: float, rounds: int) -> None:
    """Measure the service itself, the gateway and nginx before it in turn, and print a section."""
    with (
        tempfile.TemporaryDirectory() as folder,
        UPSTREAMS[upstream](Path(folder)) as (gateway, direct),
        nginx(Path(folder), direct) as proxy,
    ):
        targets = [direct, gateway] + ([proxy] if proxy is not None else [])
        measured = [{each.name: measure(each, seconds) for each in targets} for _ in range(rounds)]
        # Whatever else the machine did only ever takes away; the best round shows the least of it.
        best = {
            each.name: max((figures[each.name] for figures in measured), key=lambda f: f.rate)
            for each in targets
        }
        report(best, f"{upstream}, best of {rounds} rounds")


def _some_holder() -> bytes:
    principal = Principal(
        credential=CredentialKind.KEY,
        account_id=new_id(),
        key_id=new_id(),
        scopes=ALL_SCOPES,
        limits=DEFAULT_PLANS["free"],
    )
    return KeyHolder(principal=principal).model_dump_json().encode()


if __name__ == "__main__":
    main()
