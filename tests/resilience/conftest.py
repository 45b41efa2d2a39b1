from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from darkroom.testing.load import Load
from darkroom.testing.stack import Partr, Stack, free_port, start_stack, stop_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("resilience") / "home", free_port())
    yield running
    stop_stack(running.process)


@pytest.fixture
async def load(stack: Stack) -> AsyncIterator[Load]:
    timeout = aiohttp.ClientTimeout(total=90)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        partr = Partr(http, stack.base_url, stack.key)
        load = Load(partr, stack)
        await load.healthy()
        load.album_id = await partr.album("under fault")
        yield load
