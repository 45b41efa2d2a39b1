import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio

from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1, JobStartedV1
from darkroom.embedded.ports import free_port
from darkroom.platform.settings import S3Settings
from darkroom.processor.settings import ProcessorSettings
from darkroom.testing import pictures

READY_SECONDS = 30
Start = Callable[[], Awaitable[tuple[asyncio.subprocess.Process, str]]]


@pytest_asyncio.fixture
async def start(processor_settings: ProcessorSettings, tmp_path: Path) -> AsyncIterator[Start]:
    settings, running = processor_settings, []
    password = settings.nats.password
    environment = {
        "PATH": os.defpath,
        "PROCESSOR_NATS__SERVERS": settings.nats.servers,
        "PROCESSOR_NATS__USER": settings.nats.user or "",
        "PROCESSOR_NATS__PASSWORD": password.get_secret_value() if password else "",
        "PROCESSOR_S3__ENDPOINT": settings.s3.endpoint,
        "PROCESSOR_S3__REGION": settings.s3.region,
        "PROCESSOR_S3__BUCKET": settings.s3.bucket,
        "PROCESSOR_S3__ACCESS_KEY": settings.s3.access_key,
        "PROCESSOR_S3__SECRET_KEY": settings.s3.secret_key.get_secret_value(),
        "PROCESSOR_SCRATCH_DIR": str(tmp_path),
    }

    async def run() -> tuple[asyncio.subprocess.Process, str]:
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "darkroom.processor", "work", "--lane", "bulk"),
            env={**environment, "PROCESSOR_HTTP__PORT": str(port)},
            stdout=asyncio.subprocess.DEVNULL,
        )
        running.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield run
    for process in running:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@pytest.fixture
def until_ready() -> Callable[[str], Awaitable[dict[str, Any]]]:
    async def wait(base_url: str) -> dict[str, Any]:
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{base_url}/-/ready") as reply:
                        if reply.status == 200:
                            body: dict[str, Any] = await reply.json()
                            return body
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)

    return wait


async def test_a_processor_tells_its_health_and_drains_on_sigterm(
    start: Start, until_ready: Callable[..., Any], idle_studio: Any
) -> None:
    process, base_url = await start()
    health = await until_ready(base_url)
    assert set(health["components"]) == {"nats", "storage", "sandbox", "scratch"}
    job = await idle_studio.submit(pictures.photograph())
    async with asyncio.timeout(20):
        while not idle_studio.events(JobStartedV1, job):
            await asyncio.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    assert isinstance(await idle_studio.result(job), JobCompletedV1)
    assert await process.wait() in {0, -signal.SIGTERM}


async def test_metrics_name_verdicts(
    start: Start, until_ready: Callable[..., Any], idle_studio: Any
) -> None:
    _, base_url = await start()
    await until_ready(base_url)
    failed = await idle_studio.result(await idle_studio.submit(pictures.svg()))
    assert isinstance(failed, JobFailedV1)
    async with aiohttp.ClientSession() as http, http.get(f"{base_url}/-/metrics") as reply:
        text = await reply.text()
    assert re.search(r'darkroom_jobs_total{lane="bulk",verdict="unsupported"} 1', text)


async def test_a_fork_server_started_again_knows_no_credentials_up_28(
    start: Start, until_ready: Callable[..., Any], idle_studio: Any, s3_settings: S3Settings
) -> None:
    processor, base_url = await start()
    await until_ready(base_url)
    parent = psutil.Process(processor.pid)
    (server,) = (child for child in parent.children() if "forkserver" in " ".join(child.cmdline()))
    server.kill()
    # The pool breaks with its children, and is made again for the next task.
    await asyncio.sleep(0.5)
    job = await idle_studio.submit(pictures.jpeg())
    assert isinstance(await idle_studio.result(job), JobCompletedV1)
    known = [child.environ() for child in parent.children(recursive=True)]
    assert len(known) >= 3
    secret = s3_settings.secret_key.get_secret_value()
    assert not [name for environment in known for name in environment if "PROCESSOR" in name]
    assert secret not in str(known)


@pytest.mark.slow
@pytest.mark.resilience
async def test_a_processor_killed_with_a_job_in_hand_loses_nothing_k_14(
    start: Start, until_ready: Callable[..., Any], idle_studio: Any
) -> None:
    first, base_url = await start()
    await until_ready(base_url)
    job = await idle_studio.submit(pictures.photograph())
    async with asyncio.timeout(20):
        while not idle_studio.events(JobStartedV1, job):
            await asyncio.sleep(0.001)
    first.kill()
    _, base_url = await start()
    # The broker gives the job out again after its 30 s, and five more are allowed.
    async with asyncio.timeout(45):
        while not idle_studio.events(JobCompletedV1, job):
            await asyncio.sleep(0.05)
    assert [told.delivery for told in idle_studio.events(JobStartedV1, job)][-1] == 2
    assert len(idle_studio.events(JobCompletedV1, job)) == 1
