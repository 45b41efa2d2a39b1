import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import MadeRendition
from darkroom.platform.errors import Unavailable
from darkroom.platform.storage.memory import MemoryBlobStore
from darkroom.processor.engines.shelf import open_shelf

STEMS = {RenditionName.PROCESSED: "renditions/a/1", RenditionName.THUMBNAIL: "renditions/a/2"}
MadeOf = Callable[[RenditionName], MadeRendition]


@pytest.fixture
def made_of() -> MadeOf:
    def make(name: RenditionName) -> MadeRendition:
        return MadeRendition(
            name=name,
            recipe_digest="1",
            key="where/the/child/would/like/it",
            format=ImageFormat.JPEG,
            width=1,
            height=1,
            size_bytes=1,
            sha256="1",
        )

    return make


async def test_a_finished_file_is_stored_while_the_child_still_works(tmp_path: Path) -> None:
    blobs = MemoryBlobStore()
    async with open_shelf(tmp_path, STEMS, blobs):
        (tmp_path / "processed.part").write_bytes(b"half")
        (tmp_path / "processed.jpg").write_bytes(b"whole")
        async with asyncio.timeout(2):
            while await blobs.head("renditions/a/1.jpg") is None:
                await asyncio.sleep(0.01)
    assert [each.key async for each in blobs.list("")] == ["renditions/a/1.jpg"]


async def test_keys_come_from_the_job_and_not_from_the_child(
    tmp_path: Path, made_of: MadeOf
) -> None:
    blobs = MemoryBlobStore()
    (tmp_path / "thumbnail.jpg").write_bytes(b"small")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        (kept,) = await shelf.keep((made_of(RenditionName.THUMBNAIL),))
    assert kept.key == "renditions/a/2.jpg"
    assert [each.key async for each in blobs.list("")] == ["renditions/a/2.jpg"]


async def test_a_failed_image_leaves_nothing_in_the_store(tmp_path: Path, made_of: MadeOf) -> None:
    blobs = MemoryBlobStore()
    (tmp_path / "processed.jpg").write_bytes(b"whole")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        await shelf.keep((made_of(RenditionName.PROCESSED),))
        await shelf.clear()
    assert [each.key async for each in blobs.list("")] == []


async def test_a_file_that_is_gone_or_a_link_is_not_stored(tmp_path: Path, made_of: MadeOf) -> None:
    blobs = MemoryBlobStore()
    (tmp_path / "processed.jpg").symlink_to("/etc/hostname")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        with pytest.raises(Unavailable):
            await shelf.keep((made_of(RenditionName.PROCESSED),))
    assert [each.key async for each in blobs.list("")] == []
