import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from darkroom.embedded.ports import LOOPBACK, free_port


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    async def wait(read: Callable[[], Awaitable[Any]], expected: object) -> None:
        async with asyncio.timeout(5):
            while await read() != expected:
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def slow_form() -> Callable[..., tuple[AsyncIterator[bytes], str]]:
    async def body(content: bytes, seconds: float, fields: dict[str, str]) -> AsyncIterator[bytes]:
        yield b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield content[: len(content) // 2]
        await asyncio.sleep(seconds)
        yield content[len(content) // 2 :]
        for name, value in fields.items():
            part = f'\r\n--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
            yield part.encode()
        yield b"\r\n--cut--\r\n"

    def make(content: bytes, *, seconds: float, **fields: str) -> tuple[AsyncIterator[bytes], str]:
        return body(content, seconds, fields), "multipart/form-data; boundary=cut"

    return make


@pytest_asyncio.fixture
async def run_service(
    http: aiohttp.ClientSession,
) -> AsyncIterator[Callable[..., Awaitable[tuple[Process, str]]]]:
    running: list[Process] = []

    async def is_alive(base_url: str) -> bool:
        try:
            async with http.get(f"{base_url}/-/live") as reply:
                return reply.status == 200
        except aiohttp.ClientError:
            return False

    async def run(service: str, environment: dict[str, str]) -> tuple[Process, str]:
        port = free_port()
        environment = environment | {
            f"{service.upper()}_HTTP__PORT": str(port),
            "PATH": os.defpath,
        }
        command = (sys.executable, "-m", f"darkroom.{service}", "serve")
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        running.append(process)
        base_url = f"http://{LOOPBACK}:{port}"
        async with asyncio.timeout(20):
            while not await is_alive(base_url):
                await asyncio.sleep(0.05)
        return process, base_url

    yield run
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def upload_environment() -> Callable[..., dict[str, str]]:
    def make(settings: Any) -> dict[str, str]:
        s3 = settings.s3
        return {
            "UPLOAD_S3__ENDPOINT": s3.endpoint,
            "UPLOAD_S3__REGION": s3.region,
            "UPLOAD_S3__BUCKET": s3.bucket,
            "UPLOAD_S3__ACCESS_KEY": s3.access_key,
            "UPLOAD_S3__SECRET_KEY": s3.secret_key.get_secret_value(),
            "UPLOAD_PASSPORT__KEYS_URL": settings.passport.keys_url,
            "UPLOAD_CATALOG_URL": settings.catalog_url,
            "UPLOAD_SPOOL_DIR": str(settings.spool_dir),
        }

    return make
