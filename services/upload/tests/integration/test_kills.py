import asyncio
import os
import signal
from types import ModuleType
from typing import Any

import aiohttp
import pytest

from darkroom.testing.fixtures.web import AppServer


@pytest.mark.resilience
async def test_k_06_killed_while_bytes_arrive_nothing_is_left_after_the_next_start(
    settings_for: Any,
    upload_environment: Any,
    run_service: Any,
    client_of: Any,
    slow_form: Any,
    bucket: Any,
    pictures: ModuleType,
) -> None:
    settings = settings_for()
    process, base_url = await run_service("upload", upload_environment(settings))
    client = client_of(base_url)
    body, content_type = slow_form(pictures.photograph(), seconds=30)
    headers = client.passport_for() | {"content-type": content_type}
    upload = asyncio.create_task(client.post(data=body, headers=headers))
    await asyncio.sleep(0.5)
    process.kill()
    with pytest.raises(aiohttp.ClientError):
        await upload
    before = [name for _, _, names in os.walk(settings.spool_dir) for name in names]
    await run_service("upload", upload_environment(settings))
    after = [name for _, _, names in os.walk(settings.spool_dir) for name in names]
    assert (len(before), after) == (2, ["lock"])
    assert await bucket.keys() == []


@pytest.mark.resilience
async def test_k_07_killed_before_registration_a_retry_makes_one_image(
    settings_for: Any,
    upload_environment: Any,
    run_service: Any,
    client_of: Any,
    bucket: Any,
    desk: Any,
    serve_app: AppServer,
    pictures: ModuleType,
) -> None:
    settings = settings_for(catalog_url=await serve_app(desk.app()))
    desk.seconds = 30.0
    process, base_url = await run_service("upload", upload_environment(settings))
    client = client_of(base_url)
    headers = client.passport_for()
    upload = asyncio.create_task(client.send(pictures.jpeg(), headers=headers))
    async with asyncio.timeout(10):
        while not desk.requests:
            await asyncio.sleep(0.02)
    process.kill()
    with pytest.raises(aiohttp.ClientError):
        await upload
    staged = [key for key in await bucket.keys() if key.startswith("staging/")]
    desk.seconds = 0.0
    _, base_url = await run_service("upload", upload_environment(settings))
    reply = await client_of(base_url).send(pictures.jpeg(), headers=headers)
    assert (len(staged), reply.status) == (1, 201)
    assert len(desk.registered) == 1


@pytest.mark.resilience
async def test_told_to_end_an_upload_under_way_is_still_answered(
    settings_for: Any,
    upload_environment: Any,
    run_service: Any,
    client_of: Any,
    desk: Any,
    serve_app: AppServer,
    slow_form: Any,
    pictures: ModuleType,
) -> None:
    settings = settings_for(catalog_url=await serve_app(desk.app()))
    process, base_url = await run_service("upload", upload_environment(settings))
    client = client_of(base_url)
    body, content_type = slow_form(pictures.jpeg(), seconds=1.0)
    headers = client.passport_for() | {"content-type": content_type}
    upload = asyncio.create_task(client.post(data=body, headers=headers))
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert (await upload).status == 201
    await asyncio.wait_for(process.wait(), 10)
    assert not list(os.scandir(settings.spool_dir))
