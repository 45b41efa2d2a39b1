"""Renditions on their way to the store: each leaves as soon as its file is there.

The child writes the largest rendition first, so that most of its bytes are stored while the child
still works on the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import MadeRendition
from darkroom.platform.errors import Unavailable
from darkroom.platform.storage.blobs import BlobStore
from darkroom.processor.engines.scratch import is_plain_file

# Costs a few system calls each time; what it wins is a PUT of ten milliseconds and more.
_LOOK_SECONDS: Final = 0.004


@dataclass(slots=True)
class Shelf:
    """Store the files of one job's folder under keys made from the job's own stems.

    What has held a stranger's file does not choose where to write.
    """

    folder: Path
    stems: Mapping[RenditionName, str]
    blobs: BlobStore
    _sent: dict[str, asyncio.Task[object]] = field(default_factory=dict)

    async def keep(self, made: tuple[MadeRendition, ...]) -> tuple[MadeRendition, ...]:
        """Wait until every rendition is stored, and return them with their keys."""
        await asyncio.gather(*(self._send(each.name, each.format) for each in made))
        return tuple(
            each.model_copy(update={"key": self._key(each.name, each.format)}) for each in made
        )

    async def clear(self) -> None:
        """Take back what left early: the image has failed."""
        await asyncio.gather(*self._sent.values(), return_exceptions=True)
        await asyncio.gather(*(self.blobs.delete(key) for key in self._sent))

    async def watch(self) -> None:
        """Send whatever is finished, until cancelled."""
        while True:
            for name in self.stems:
                for image_format in ImageFormat:
                    if is_plain_file(self._path(name, image_format)):
                        self._send(name, image_format)
            await asyncio.sleep(_LOOK_SECONDS)

    def _send(self, name: RenditionName, image_format: ImageFormat) -> asyncio.Task[object]:
        key = self._key(name, image_format)
        if key not in self._sent:
            self._sent[key] = asyncio.create_task(self._put(key, name, image_format))
        return self._sent[key]

    async def _put(self, key: str, name: RenditionName, image_format: ImageFormat) -> None:
        path = self._path(name, image_format)
        if not is_plain_file(path):
            raise Unavailable("A rendition is gone from scratch space.", rendition=name)
        await self.blobs.put(key, path, media_type=image_format.media_type)

    def _path(self, name: RenditionName, image_format: ImageFormat) -> Path:
        return self.folder / f"{name}.{image_format.extension}"

    def _key(self, name: RenditionName, image_format: ImageFormat) -> str:
        return f"{self.stems[name]}.{image_format.extension}"

    async def close(self, watch: asyncio.Task[None]) -> None:
        """End what is still under way."""
        under_way = (watch, *self._sent.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@asynccontextmanager
async def open_shelf(
    folder: Path, stems: Mapping[RenditionName, str], blobs: BlobStore
) -> AsyncIterator[Shelf]:
    """Watch a job's folder for finished renditions while its child works."""
    shelf = Shelf(folder, stems, blobs)
    watch = asyncio.create_task(shelf.watch())
    try:
        yield shelf
    finally:
        await shelf.close(watch)
