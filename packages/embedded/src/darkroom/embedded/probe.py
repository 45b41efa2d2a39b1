"""Asking a local server over HTTP whether it is there, without a client library."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

_SECONDS: Final = 3.0


async def status_of(url: str) -> int:
    """Return the status a GET is answered with; raises OSError or TimeoutError when it is not."""
    parts = urlsplit(url)
    request = (
        f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    )
    async with asyncio.timeout(_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request.encode())
            line = (await reader.readline()).split(b" ", 2)
        finally:
            writer.close()
    # "HTTP/1.1 200 OK"
    if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or not line[1].isdigit():  # noqa: PLR2004
        raise ConnectionError(f"{url} does not speak HTTP")
    return int(line[1])
