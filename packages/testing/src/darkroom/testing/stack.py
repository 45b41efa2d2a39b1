"""The running platform as an outsider sees it: a process, a base URL and a key."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

# The first start makes a database cluster; later ones are far quicker.
START_SECONDS = 120
# What the platform prints when its gateway takes requests and its sample picture is developed.
READY = "Ready after"
# A develop job takes well under a second; what waits longer than this is stuck.
TERMINAL_SECONDS = 60


@dataclass(frozen=True)
class Stack:
    """A running platform: where it answers and what its first start made."""

    process: subprocess.Popen[bytes]
    home: Path
    base_url: str
    key: str
    album_id: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A complete reply; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


class Partr:
    """The partr surface as a client sees it: HTTP and a key, nothing else."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, key: str | None) -> None:
        self._http = http
        self.base_url = base_url
        self.headers = {} if key is None else {"X-API-Key": key}

    async def call(self, method: str, path: str | URL, **options: Any) -> Reply:
        """Make one call; options are aiohttp's, headers are added to the key's."""
        headers = self.headers | options.pop("headers", {})
        is_whole = isinstance(path, URL) or path.startswith("http")
        url = path if is_whole else f"{self.base_url}{path}"
        async with self._http.request(method, url, headers=headers, **options) as reply:
            lowered = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(reply.status, lowered, await reply.read())

    async def upload(self, picture: bytes, *, filename: str = "photo.jpg", **fields: str) -> Reply:
        """Upload a picture, the file before the fields."""
        form = aiohttp.FormData()
        file = io.BytesIO(picture)
        form.add_field("file", file, filename=filename, content_type="image/jpeg")
        for name, value in fields.items():
            form.add_field(name, value)
        return await self.call("POST", "/api/v1/upload", data=form)

    async def terminal(self, image_id: str) -> dict[str, Any]:
        """Poll until the image is ready or failed; fail the test when it never is."""
        deadline = time.monotonic() + TERMINAL_SECONDS
        status = "unseen"
        while time.monotonic() < deadline:
            reply = await self.call("GET", f"/api/v1/images/{image_id}")
            assert reply.status == HTTPStatus.OK, reply.body
            image: dict[str, Any] = reply.json()
            status = image["status"]
            if status in {"ready", "failed"}:
                return image
            await asyncio.sleep(0.05)
        pytest.fail(f"{image_id} is still {status} after {TERMINAL_SECONDS} s")

    async def develop(self, picture: bytes, **options: str) -> dict[str, Any]:
        """Upload and wait for the end."""
        reply = await self.upload(picture, **options)
        assert reply.status == HTTPStatus.CREATED, reply.body
        return await self.terminal(reply.json()["image_id"])

    async def album(self, title: str) -> str:
        """Make an album and return its id."""
        reply = await self.call("POST", "/api/v1/albums", json={"title": title})
        assert reply.status == HTTPStatus.CREATED, reply.body
        album_id: str = reply.json()["id"]
        return album_id

    async def images(self, album_id: str, **query: Any) -> dict[str, Any]:
        """Read one page of an album."""
        reply = await self.call("GET", f"/api/v1/albums/{album_id}/images", params=query)
        assert reply.status == HTTPStatus.OK, reply.body
        page: dict[str, Any] = reply.json()
        return page


def start_stack(home: Path, port: int) -> Stack:
    """Start `darkroom up` on a home and a port, and wait until it says it is ready."""
    log = home.with_suffix(".log")
    process = _launch(home, port, log)
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if READY in log.read_text():
            facts = json.loads((home / "dev.json").read_text())
            key, album_id = facts["keys"]["pk"], facts["album_id"]
            return Stack(process, home, facts["base_url"], key, album_id, facts)
        time.sleep(0.1)  # noqa: TID251 - no loop runs here: session fixtures are synchronous
    stop_stack(process)
    pytest.fail(f"the platform did not start:\n{log.read_text()[-4000:]}")


def _launch(home: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    inherited = os.environ  # noqa: TID251 - a child process needs a whole environment
    environment = inherited | {"DARKROOM_HOME": str(home), "DARKROOM_PORT": str(port)}
    environment.pop("DARKROOM_PUBLIC_URL", None)
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "darkroom.embedded", "up"],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def stop_stack(process: subprocess.Popen[bytes]) -> None:
    """End a platform as an operator would; kill it only when it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
