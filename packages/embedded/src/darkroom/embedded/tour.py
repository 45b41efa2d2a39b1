"""The first start's tour: an album and a picture, made through the public API like anybody's."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp

from darkroom.embedded.errors import StartError
from darkroom.embedded.sample import FILENAME, draw

ALBUM_TITLE: Final = "Demo"
# A develop job of the sample takes a third of a second; a minute means that it is stuck.
_READY_SECONDS: Final = 60.0
_REPLY_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05


class PublicAPI:
    """Call the platform as a client with a key does."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    async def knows(self, album_id: str) -> bool:
        """Tell whether the key opens the album."""
        async with self._http.get(f"{self._base_url}/api/v1/albums/{album_id}/images") as reply:
            return reply.status == HTTPStatus.OK

    async def make_album(self) -> str:
        """Make the demo album and return its id."""
        made = await self._json("POST", "/api/v1/albums", HTTPStatus.CREATED, json=ALBUM)
        return str(made["id"])

    async def upload(self, picture: bytes, album_id: str) -> str:
        """Upload a picture and return its id."""
        form = aiohttp.FormData()
        form.add_field("file", picture, filename=FILENAME, content_type="image/jpeg")
        form.add_field("album_id", album_id)
        accepted = await self._json("POST", "/api/v1/upload", HTTPStatus.CREATED, data=form)
        return str(accepted["image_id"])

    async def developed(self, image_id: str) -> dict[str, Any]:
        """Return the image once it is ready; raises StartError when it fails or takes too long."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            image = await self._json("GET", f"/api/v1/images/{image_id}", HTTPStatus.OK)
            if image["status"] == "ready":
                return image
            if image["status"] == "failed":
                raise StartError(
                    f"The sample picture could not be developed: {image.get('error')}."
                )
            await asyncio.sleep(_POLL_SECONDS)
        raise StartError(
            f"The sample picture was not developed within {_READY_SECONDS:g} s; "
            f"the logs of the processors and of catalog say why."
        )

    async def _json(
        self, method: str, path: str, expected: HTTPStatus, **options: Any
    ) -> dict[str, Any]:
        async with self._http.request(method, self._base_url + path, **options) as reply:
            if reply.status != expected:
                said = (await reply.text())[:300]
                raise StartError(f"{method} {path} answered {reply.status}: {said}")
            body: dict[str, Any] = await reply.json(content_type=None)
            return body


ALBUM: Final = {"title": ALBUM_TITLE}


@asynccontextmanager
async def open_api(base_url: str, key: str) -> AsyncIterator[PublicAPI]:
    """Open a client of the public API; what goes wrong on the wire is one sentence."""
    timeout = aiohttp.ClientTimeout(total=_REPLY_SECONDS)
    headers = {"X-API-Key": key}
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http:
            yield PublicAPI(http, base_url)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise StartError(f"The public API at {base_url} does not answer: {error!r}.") from error


async def take_tour(api: PublicAPI, sample: Path) -> tuple[str, dict[str, Any]]:
    """Make the album, upload the sample, wait for it; return the album's id and the image."""
    picture = await asyncio.to_thread(draw)
    await asyncio.to_thread(sample.write_bytes, picture)
    album_id = await api.make_album()
    image = await api.developed(await api.upload(picture, album_id))
    return album_id, image


def curl_line(base_url: str, key: str, sample: Path, album_id: str) -> str:
    """Return a command that uploads the sample once more, ready to paste."""
    words = (
        *("curl", "-H", f"X-API-Key: {key}", "-F", f"file=@{sample}"),
        *("-F", f"album_id={album_id}", f"{base_url}/api/v1/upload"),
    )
    return shlex.join(words)
