import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from darkroom.catalog.__main__ import main
from darkroom.catalog.app import create_app
from darkroom.catalog.domain.image import Image
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.jobs import JobCompletedV1, JobRequestedV1, JobStartedV1
from darkroom.platform.messaging.consumer import Delivery, Subscription, Worker
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.testing.fixtures.web import AppServer
from darkroom.testing.own import OwnNats

Make = Callable[..., Awaitable[Image]]


@pytest_asyncio.fixture
async def bus(nats_server: OwnNats) -> AsyncIterator[JetStream]:
    async with open_jetstream(nats_server.settings, name="catalog-tests") as bus:
        yield bus


@pytest.fixture
def own_settings(settings: CatalogSettings, nats_server: OwnNats) -> CatalogSettings:
    fast = {"sweep_interval_seconds": 0.2, "tidy_interval_seconds": 0.2}
    return settings.model_copy(update={"nats": nats_server.settings, **fast})


async def test_relay_and_work_carry_an_image_from_queued_to_ready(
    own_settings: CatalogSettings,
    bus: JetStream,
    serve_app: AppServer,
    caller: Any,
    register: Make,
    completed: Callable[..., JobCompletedV1],
) -> None:
    await serve_app(create_app(own_settings, frozenset({Role.RELAY})))
    await serve_app(create_app(own_settings, frozenset({Role.WORK, Role.SWEEP})))
    image = await register()

    async def process(job: JobRequestedV1, _delivery: Delivery) -> None:
        await bus.publish(
            JobStartedV1(job_id=job.job_id, image_id=job.image_id, attempt=job.attempt, delivery=1)
        )
        await bus.publish(completed(image))

    lane = f"{JobRequestedV1.subject}.bulk"
    worker = Worker(bus, [Subscription(JobRequestedV1, process, durable="bulk", subject=lane)])
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    path = f"/api/v1/images/{encode_id(Prefix.IMAGE_PARTR, image.id)}"
    async with asyncio.timeout(20):
        while (await caller.get(path)).json["status"] != "ready":
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert (await caller.get(path)).json["thumbnail_url"].endswith(".webp")


async def test_the_sweep_leaves_its_report_on_the_service_port(
    own_settings: CatalogSettings, serve_app: AppServer, http: aiohttp.ClientSession, register: Make
) -> None:
    await register()
    base_url = await serve_app(create_app(own_settings, frozenset({Role.SWEEP})))
    url, report = f"{base_url}/-/reconcile", None
    async with asyncio.timeout(20):
        while report is None:
            async with http.get(url) as reply:
                report = await reply.json() if reply.status == 200 else None
            await asyncio.sleep(0.05)
    assert report["finished_at"] >= report["started_at"]
    assert report["missing"] == {"count": 0, "samples": []}


async def test_readiness_asks_what_the_roles_need(
    own_settings: CatalogSettings,
    nats_server: OwnNats,
    serve_app: AppServer,
    http: aiohttp.ClientSession,
) -> None:
    serving = await serve_app(create_app(own_settings, frozenset({Role.SERVE})))
    relaying = await serve_app(create_app(own_settings, frozenset({Role.RELAY})))
    await nats_server.stop()
    for base_url, path, wanted in (
        (serving, "/-/ready", 200),
        (relaying, "/-/ready", 503),
        (relaying, "/-/live", 200),
        (relaying, "/api/v1/images/x", 404),
        (serving, "/-/reconcile", 404),
    ):
        async with http.get(f"{base_url}{path}") as reply:
            assert reply.status == wanted, path


@pytest.mark.parametrize("arguments", [[], ["dance"], ["migrate", "serve"]])
def test_a_wrong_command_is_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m darkroom.catalog" in capsys.readouterr().err
