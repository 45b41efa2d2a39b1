import asyncio
import time
from types import ModuleType
from typing import Any

import aiohttp

from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.testing.fixtures.web import AppServer
from darkroom.testing.own import OwnS3


async def test_a_catalog_that_fails_for_a_moment_is_waited_for(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    desk.failures_left = 2
    reply = await client.send(pictures.jpeg())
    assert (reply.status, len(desk.requests), len(desk.registered)) == (201, 3, 1)


async def test_k_09_a_lost_reply_is_asked_again_and_makes_one_image(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    desk.loses_replies = 1
    reply = await client.send(pictures.jpeg())
    (registered,) = desk.registered.values()
    assert (reply.status, len(desk.requests)) == (201, 2)
    assert reply.body["image_id"] == encode_id(Prefix.IMAGE_PARTR, registered.image_id)


async def test_k_09_a_refusal_after_a_lost_reply_keeps_what_may_be_an_image(
    client: Any, desk: Any, bucket: Any, pictures: ModuleType
) -> None:
    desk.loses_replies, desk.closes_albums = 1, True
    account_id = new_id()
    album_id = encode_id(Prefix.ALBUM, desk.album_of(account_id))
    headers = client.passport_for(account_id=account_id)
    reply = await client.send(pictures.jpeg(), headers=headers, album_id=album_id)
    (registered,) = desk.registered.values()
    (key,) = await bucket.keys()
    assert (reply.status, len(desk.requests)) == (404, 2)
    assert key.startswith("originals/")
    assert key.endswith(str(registered.image_id))


async def test_k_07_a_catalog_that_stays_away_is_503_within_the_deadline(
    client_for: Any, pictures: ModuleType
) -> None:
    client = await client_for()
    begun_at = time.perf_counter()
    reply = await client.send(pictures.jpeg(), album_id=encode_id(Prefix.ALBUM, new_id()))
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert time.perf_counter() - begun_at < 5


async def test_s_01_a_store_that_is_away_is_503_and_nothing_is_registered(
    client_for: Any, serve_app: AppServer, desk: Any, pictures: ModuleType, s3_server: OwnS3
) -> None:
    settings = s3_server.settings
    client = await client_for(s3=settings, catalog_url=await serve_app(desk.app()))
    assert (await client.send(pictures.jpeg())).status == 201
    await s3_server.stop()
    reply = await client.send(pictures.jpeg())
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert len(desk.registered) == 1
    await s3_server.start()
    assert (await client.send(pictures.jpeg())).status == 201


async def test_too_many_uploads_at_once_are_503_quickly(
    client_for: Any, serve_app: AppServer, desk: Any, pictures: ModuleType, slow_form: Any
) -> None:
    client = await client_for(catalog_url=await serve_app(desk.app()), max_under_way=1)
    body, content_type = slow_form(pictures.jpeg(), seconds=1.0)
    headers = client.passport_for() | {"content-type": content_type}
    slow = asyncio.create_task(client.post(data=body, headers=headers))
    await asyncio.sleep(0.3)
    begun_at = time.perf_counter()
    refused = await client.send(pictures.jpeg())
    seconds = time.perf_counter() - begun_at
    assert (refused.status, "Retry-After" in refused.headers) == (503, True)
    assert seconds < 0.5
    assert (await slow).status == 201


async def test_one_account_leaves_room_for_the_uploads_of_others(
    client_for: Any, serve_app: AppServer, desk: Any, pictures: ModuleType, slow_form: Any
) -> None:
    client = await client_for(catalog_url=await serve_app(desk.app()), max_under_way_per_account=1)
    account = client.passport_for()
    body, content_type = slow_form(pictures.jpeg(), seconds=1.0)
    headers = account | {"content-type": content_type}
    slow = asyncio.create_task(client.post(data=body, headers=headers))
    await asyncio.sleep(0.3)
    begun_at = time.perf_counter()
    refused = await client.send(pictures.jpeg(), headers=account)
    seconds = time.perf_counter() - begun_at
    assert (refused.status, "Retry-After" in refused.headers) == (503, True)
    assert seconds < 0.5
    assert (await client.send(pictures.jpeg())).status == 201
    assert (await slow).status == 201
    assert (await client.send(pictures.jpeg(), headers=account)).status == 201


async def test_h_02_a_full_disk_is_503_before_anything_is_taken(
    client_for: Any, pictures: ModuleType
) -> None:
    client = await client_for(spool_reserve_bytes=2**60)
    reply = await client.send(pictures.jpeg())
    assert (reply.status, reply.body["code"]) == (503, "unavailable")


async def test_readiness_names_what_is_away(client_for: Any, http: aiohttp.ClientSession) -> None:
    client = await client_for()
    async with http.get(f"{client.base_url}/-/ready") as reply:
        report = (await reply.json())["components"]
    assert reply.status == 503
    assert report == {"storage": "ok", "catalog": "down", "passport_keys": "ok"}
