"""Renditions on their way to the store: each leaves as soon as its file is there.

The child writes the largest rendition first, so that most of its bytes are stored while the child
still works on the rest. Nothing is ever removed from the store: under the same keys may lie what
an earlier delivery of the job made, and an image that is ready points there.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import MadeRendition
from darkroom.platform.errors import BadReply
from darkroom.platform.storage.blobs import BlobStore, Stored
from darkroom.processor.engines.scratch import open_plain

# Waking up for a look costs a fiftieth of a core while a child works; what it wins is a PUT of ten
# milliseconds and more.
_LOOK_SECONDS: Final = 0.005


class RenditionDiffers(BadReply):
    """A child told another size than that of the file it left."""


@dataclass(slots=True)
class Shelf:
    """Store the files of one job's folder under keys made from the job's own stems.

    What has held a stranger's file does not choose where to write.
    """

    folder: Path
    stems: Mapping[RenditionName, str]
    blobs: BlobStore
    _opened: asyncio.Event = field(default_factory=asyncio.Event)
    _sent: dict[str, asyncio.Task[Stored]] = field(default_factory=dict)

    def open(self) -> None:
        """Let files leave from now on: the source is known to be the registered one."""
        self._opened.set()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Send whatever is finished, as long as the context lasts."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            await _end((watch,))

    async def keep(self, made: tuple[MadeRendition, ...]) -> tuple[MadeRendition, ...]:
        """Wait until every rendition is stored, and return them with their keys."""
        stored = await asyncio.gather(*(self._send(each.name, each.format) for each in made))
        for each, blob in zip(made, stored, strict=True):
            if each.size_bytes != blob.size_bytes:
                raise RenditionDiffers(key=blob.key, told=each.size_bytes, found=blob.size_bytes)
        return tuple(
            each.model_copy(update={"key": blob.key})
            for each, blob in zip(made, stored, strict=True)
        )

    async def discard(self) -> None:
        """Forget what a lost child left, so that the next one's files are sent instead."""
        await self.close()
        self._sent.clear()
        for left in self._names():
            (self.folder / left).unlink(missing_ok=True)

    async def close(self) -> None:
        """End what is still under way."""
        await _end(self._sent.values())

    async def _watch(self) -> None:
        await self._opened.wait()
        names = self._names()
        while len(self._sent) < len(self.stems):
            with os.scandir(self.folder) as entries:
                finished = [names[entry.name] for entry in entries if entry.name in names]
            for name, image_format in finished:
                self._send(name, image_format)
            await asyncio.sleep(_LOOK_SECONDS)

    def _send(self, name: RenditionName, image_format: ImageFormat) -> asyncio.Task[Stored]:
        key = f"{self.stems[name]}.{image_format.extension}"
        if key not in self._sent:
            self._sent[key] = asyncio.create_task(self._put(key, name, image_format))
        return self._sent[key]

    async def _put(self, key: str, name: RenditionName, image_format: ImageFormat) -> Stored:
        await self._opened.wait()
        with open_plain(self.folder / _file_name(name, image_format)) as file:
            return await self.blobs.put(key, file, media_type=image_format.media_type)

    def _names(self) -> dict[str, tuple[RenditionName, ImageFormat]]:
        """List what a child may leave in the folder."""
        return {
            _file_name(name, image_format): (name, image_format)
            for name in self.stems
            for image_format in ImageFormat
        }


@asynccontextmanager
async def open_shelf(
    folder: Path, stems: Mapping[RenditionName, str], blobs: BlobStore
) -> AsyncIterator[Shelf]:
    """Make a shelf for a job's folder; nothing leaves it before it is opened."""
    shelf = Shelf(folder, stems, blobs)
    try:
        yield shelf
    finally:
        await shelf.close()


def _file_name(name: RenditionName, image_format: ImageFormat) -> str:
    return f"{name}.{image_format.extension}"


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
