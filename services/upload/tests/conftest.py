import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest


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
