from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from darkroom.catalog.app import create_app
from darkroom.catalog.domain.image import Image
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.registration import ALBUM_CHECK_PATH, RegisterImage
from darkroom.embedded.ports import free_port
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.fixtures.web import AppServer

# Fixed, so that every test worker names the cases alike.
ALBUM = encode_id(Prefix.ALBUM, UUID(int=1))
IMAGE = encode_id(Prefix.IMAGE_PARTR, UUID(int=2))


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/images/{IMAGE}",
        f"/api/v1/albums/{ALBUM}/images",
        f"/storage/processed/{IMAGE}.jpg",
        f"{ALBUM_CHECK_PATH}?album_id={ALBUM}",
    ],
)
async def test_without_its_database_every_read_says_503_and_when_to_come_back(
    path: str, settings: CatalogSettings, serve_app: AppServer, caller: Any
) -> None:
    dsn = f"postgresql+asyncpg://catalog:x@127.0.0.1:{free_port()}/catalog"
    postgres = PostgresSettings.model_validate({"dsn": dsn})
    cut_off = settings.model_copy(update={"postgres": postgres})
    base_url = await serve_app(create_app(cut_off, frozenset({Role.SERVE})))
    reply = await caller.get(f"{base_url}{path}")
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert reply.headers["retry-after"]
    assert reply.headers["cache-control"] == "no-store"


async def test_without_the_object_store_media_say_503_and_the_rest_works(
    settings: CatalogSettings,
    serve_app: AppServer,
    caller: Any,
    stored: Callable[..., Awaitable[Image]],
    registration: Callable[..., RegisterImage],
) -> None:
    image = await stored()
    s3 = settings.s3.model_copy(update={"endpoint": f"http://127.0.0.1:{free_port()}"})
    cut_off = settings.model_copy(update={"s3": s3})
    base_url = await serve_app(create_app(cut_off, frozenset({Role.SERVE})))
    public_id = encode_id(Prefix.IMAGE_PARTR, image.id)
    file = f"{base_url}/storage/processed/{public_id}.jpg"
    for method in ("GET", "HEAD"):
        assert (await caller.call(method, file)).status == 503
    detail = await caller.get(f"{base_url}/api/v1/images/{public_id}")
    assert detail.json["status"] == "ready"
    assert (await caller.get(file, headers={"If-None-Match": "*"})).status == 304
    assert (await caller.get(f"{base_url}/-/ready")).status == 200
    assert (await caller.register(registration())).status == 200
