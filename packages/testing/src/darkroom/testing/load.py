"""Load that keeps uploading while something breaks, and the invariants checked afterwards."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
import psutil

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, Stack

# Long enough that uploads are at every step when something breaks.
STEADY_SECONDS = 1.0
# As many as keep two cores busy.
CLIENTS = 4
# A restart with its back-off, or a database that replays its log, on a busy machine.
RECOVERY_SECONDS = 60


@dataclass
class History:
    """What clients were told: acknowledged ids, and how many answers stayed unknown."""

    acknowledged: list[str] = field(default_factory=list)
    unknown: int = 0


@dataclass
class Load:
    """Clients that keep uploading into one album while something breaks."""

    partr: Partr
    stack: Stack
    album_id: str = ""
    history: History = field(default_factory=History)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    is_over: bool = False

    async def through(self, fault: Callable[[], None]) -> None:
        """Upload before, during and after a fault, until the platform is healthy again."""
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(self._client())
            await asyncio.sleep(STEADY_SECONDS)
            fault()
            await asyncio.sleep(STEADY_SECONDS)
            await self.healthy()
            await asyncio.sleep(STEADY_SECONDS)
            self.is_over = True

    async def _client(self) -> None:
        while not self.is_over:
            # A picture of its own each, so that no two uploads could be taken for one.
            number = next(self.numbers)
            picture = pictures.jpeg(200 + number % 100, 100 + number // 100)
            try:
                reply = await self.partr.upload(picture, album_id=self.album_id)
            except aiohttp.ClientError:
                self.history.unknown += 1
                await self.healthy()
                continue
            # A refusal must be an honest "not now"; anything else would be a wrong verdict.
            assert reply.status in {201, 502, 503, 504}, reply.body
            if reply.status == HTTPStatus.CREATED:
                self.history.acknowledged.append(reply.json()["image_id"])
            else:
                self.history.unknown += 1
                await self.healthy()

    async def healthy(self) -> None:
        """Wait, as a patient client does, until the platform says that it takes uploads."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            while not await self._is_healthy():
                await asyncio.sleep(0.2)

    async def _is_healthy(self) -> bool:
        try:
            return (await self.partr.call("GET", "/health")).status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False

    async def assert_nothing_lost(self) -> None:
        """Check the invariants: acknowledged means durable, one effect, and no limbo."""
        acknowledged = self.history.acknowledged
        assert acknowledged, "the fault left no upload acknowledged; the test proved nothing"
        assert len(set(acknowledged)) == len(acknowledged)
        for image_id in acknowledged:
            assert (await self.partr.terminal(image_id))["status"] == "ready"
        total = (await self.partr.images(self.album_id))["meta"]["total"]
        assert len(acknowledged) <= total <= len(acknowledged) + self.history.unknown
        for status in ("queued", "processing"):
            while (await self.partr.images(self.album_id, status=status))["images"]:
                await asyncio.sleep(0.2)
        assert (await self.partr.images(self.album_id, status="ready"))["meta"]["total"] == total

    def kill(self, *words: str) -> None:
        """Kill -9 the platform's processes whose command line holds all the words."""
        victims = [
            child
            for child in psutil.Process(self.stack.process.pid).children(recursive=True)
            if all(word in " ".join(child.cmdline()) for word in words)
        ]
        assert victims, words
        for victim in victims:
            victim.kill()
