"""Load that keeps uploading while something breaks, and the invariants checked afterwards."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
import psutil

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, Stack

# Enough that every fault falls among uploads at every step, few enough for two cores.
UPLOADS = 40
CLIENTS = 4


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
    album_id: str
    history: History = field(default_factory=History)

    async def run(self) -> None:
        """Upload until every number is used, whatever the answers."""
        numbers = iter(range(UPLOADS))
        await asyncio.gather(*(self._client(numbers) for _ in range(CLIENTS)))

    async def _client(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            picture = pictures.jpeg(200 + number, 150)
            try:
                reply = await self.partr.upload(picture, album_id=self.album_id)
            except aiohttp.ClientError:
                self.history.unknown += 1
                await asyncio.sleep(0.2)
                continue
            # A refusal must be an honest "not now"; anything else would be a wrong verdict.
            assert reply.status in {201, 502, 503, 504}, reply.body
            if reply.status == HTTPStatus.CREATED:
                self.history.acknowledged.append(reply.json()["image_id"])
            else:
                self.history.unknown += 1
                await asyncio.sleep(0.2)

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
            while (await self.partr.images(self.album_id, status=status))["images"]:  # noqa: ASYNC110 - another process changes it
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
