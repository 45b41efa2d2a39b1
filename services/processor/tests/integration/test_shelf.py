import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import MadeRendition
from darkroom.platform.storage.blobs import Content, Stored
from darkroom.platform.storage.memory import MemoryBlobStore
from darkroom.processor.engines.scratch import NotPlain
from darkroom.processor.engines.shelf import RenditionDiffers, open_shelf

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


class _Counted:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.calls = 0

    def __call__(self, argument: object) -> Any:
        self.calls += 1
        return self._function(argument)


async def test_a_finished_file_is_stored_while_the_child_still_works(tmp_path: Path) -> None:
    blobs = MemoryBlobStore()
    async with open_shelf(tmp_path, STEMS, blobs) as shelf, shelf.watched():
        shelf.open()
        (tmp_path / "processed.part").write_bytes(b"half")
        (tmp_path / "processed.jpg").write_bytes(b"whole")
        async with asyncio.timeout(2):
            while await blobs.head("renditions/a/1.jpg") is None:
                await asyncio.sleep(0.01)
    assert [each.key async for each in blobs.list("")] == ["renditions/a/1.jpg"]


async def test_nothing_leaves_before_the_source_is_verified(
    tmp_path: Path, made_of: MadeOf
) -> None:
    blobs = MemoryBlobStore()
    (tmp_path / "processed.jpg").write_bytes(b"w")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        async with shelf.watched():
            keeping = asyncio.create_task(shelf.keep((made_of(RenditionName.PROCESSED),)))
            await asyncio.sleep(0.05)
            assert [each.key async for each in blobs.list("")] == []
        shelf.open()
        (kept,) = await keeping
    assert await blobs.head(kept.key) is not None


async def test_a_look_lists_the_folder_once_and_ends_with_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = _Counted(os.scandir)
    monkeypatch.setattr(os, "scandir", looks)
    async with open_shelf(tmp_path, STEMS, MemoryBlobStore()) as shelf:
        shelf.open()
        async with shelf.watched():
            await asyncio.sleep(0.2)
        seen = looks.calls
        assert 1 <= seen <= 41
        await asyncio.sleep(0.05)
        assert looks.calls == seen


async def test_keys_come_from_the_job_and_not_from_the_child(
    tmp_path: Path, made_of: MadeOf
) -> None:
    blobs = MemoryBlobStore()
    (tmp_path / "thumbnail.jpg").write_bytes(b"s")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        shelf.open()
        (kept,) = await shelf.keep((made_of(RenditionName.THUMBNAIL),))
    assert kept.key == "renditions/a/2.jpg"
    assert [each.key async for each in blobs.list("")] == ["renditions/a/2.jpg"]


async def test_what_a_lost_child_left_gives_way_to_the_next_ones(
    tmp_path: Path, made_of: MadeOf
) -> None:
    blobs, processed = MemoryBlobStore(), tmp_path / "processed.jpg"
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        shelf.open()
        processed.write_bytes(b"of the lost one")
        async with shelf.watched():
            await asyncio.sleep(0.05)
        await shelf.discard()
        assert not processed.exists()
        processed.write_bytes(b"n")
        await shelf.keep((made_of(RenditionName.PROCESSED),))
    async with blobs.open("renditions/a/1.jpg") as reader:
        assert [chunk async for chunk in reader.chunks()] == [b"n"]


async def test_a_file_of_another_size_than_told_is_nonsense(
    tmp_path: Path, made_of: MadeOf
) -> None:
    (tmp_path / "processed.jpg").write_bytes(b"longer")
    async with open_shelf(tmp_path, STEMS, MemoryBlobStore()) as shelf:
        shelf.open()
        with pytest.raises(RenditionDiffers):
            await shelf.keep((made_of(RenditionName.PROCESSED),))


@pytest.mark.parametrize(
    "make",
    [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo, Path.mkdir],
    ids=["link", "pipe", "folder"],
)
async def test_what_is_no_plain_file_is_not_stored_and_not_waited_for(
    make: Callable[[Path], None], tmp_path: Path, made_of: MadeOf
) -> None:
    blobs = MemoryBlobStore()
    make(tmp_path / "processed.jpg")
    async with asyncio.timeout(2), open_shelf(tmp_path, STEMS, blobs) as shelf:
        shelf.open()
        with pytest.raises(NotPlain):
            await shelf.keep((made_of(RenditionName.PROCESSED),))
    assert [each.key async for each in blobs.list("")] == []


class _Swapping(MemoryBlobStore):
    """Put a link in the place of the file between the check and the reading."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def put(self, key: str, body: Content, *, media_type: str) -> Stored:
        self._path.unlink()
        self._path.symlink_to("/etc/hostname")
        return await super().put(key, body, media_type=media_type)


async def test_a_link_put_in_a_files_place_after_the_check_changes_nothing(
    tmp_path: Path, made_of: MadeOf
) -> None:
    (tmp_path / "processed.jpg").write_bytes(b"w")
    blobs = _Swapping(tmp_path / "processed.jpg")
    async with open_shelf(tmp_path, STEMS, blobs) as shelf:
        shelf.open()
        await shelf.keep((made_of(RenditionName.PROCESSED),))
    async with blobs.open("renditions/a/1.jpg") as reader:
        assert [chunk async for chunk in reader.chunks()] == [b"w"]
