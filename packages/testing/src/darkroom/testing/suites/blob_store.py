"""What every object store must do; subclass with a `store` fixture, nothing else."""
# ruff: noqa: D102 a test's name is its sentence

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from darkroom.platform.storage.blobs import BlobMissing, BlobStore

JPEG = "image/jpeg"


async def read(store: BlobStore, key: str, start: int = 0, stop: int | None = None) -> bytes:
    """Return the bytes of a part of an object."""
    async with store.open(key, start=start, stop=stop) as reader:
        return b"".join([chunk async for chunk in reader.chunks()])


class BlobStoreSuite:
    """Hold the contract; each test gets an empty store."""

    @pytest.fixture
    def content(self) -> bytes:
        """Return bytes that no compression and no chunk size suits."""
        return secrets.token_bytes(700_001)

    async def test_what_is_put_is_read_back(self, store: BlobStore, content: bytes) -> None:
        stored = await store.put("originals/2026/11/a", content, media_type=JPEG)
        assert (stored.key, stored.size_bytes) == ("originals/2026/11/a", len(content))
        assert await read(store, "originals/2026/11/a") == content
        assert await store.head("originals/2026/11/a") == stored

    async def test_a_file_is_put_and_fetched_whole(
        self, store: BlobStore, content: bytes, tmp_path: Path
    ) -> None:
        source, target = tmp_path / "source", tmp_path / "target"
        source.write_bytes(content)
        await store.put("staging/a", source, media_type=JPEG)
        await store.fetch_to("staging/a", target)
        assert target.read_bytes() == content

    async def test_an_empty_object_is_an_object(self, store: BlobStore, tmp_path: Path) -> None:
        await store.put("staging/empty", b"", media_type=JPEG)
        await store.fetch_to("staging/empty", tmp_path / "empty")
        assert (tmp_path / "empty").read_bytes() == b""
        assert await read(store, "staging/empty") == b""

    @pytest.mark.parametrize(
        ("start", "stop"), [(0, 1), (5, 12), (700_000, None), (10, 9_999_999), (1, None)]
    )
    async def test_a_part_is_read_with_the_size_of_the_whole(
        self, store: BlobStore, content: bytes, start: int, stop: int | None
    ) -> None:
        await store.put("originals/a", content, media_type=JPEG)
        async with store.open("originals/a", start=start, stop=stop) as reader:
            assert reader.size == len(content)
            assert b"".join([part async for part in reader.chunks()]) == content[start:stop]

    async def test_a_part_behind_the_end_is_refused(self, store: BlobStore) -> None:
        await store.put("originals/a", b"short", media_type=JPEG)
        with pytest.raises(ValueError, match="end"):
            await read(store, "originals/a", 5)

    async def test_a_second_put_replaces_the_first(self, store: BlobStore, content: bytes) -> None:
        for body in (content, b"x", content[:5_000]):
            stored = await store.put("renditions/a.webp", body, media_type="image/webp")
            assert await read(store, "renditions/a.webp") == body
            assert await store.head("renditions/a.webp") == stored

    async def test_a_copy_is_there_at_once_and_stays_without_its_source(
        self, store: BlobStore, content: bytes
    ) -> None:
        await store.put("staging/a", content, media_type=JPEG)
        await store.copy("staging/a", "originals/a")
        await store.delete("staging/a")
        assert await read(store, "originals/a") == content
        assert await store.head("staging/a") is None

    async def test_what_is_absent_is_missing(self, store: BlobStore, tmp_path: Path) -> None:
        assert await store.head("originals/none") is None
        with pytest.raises(BlobMissing):
            await read(store, "originals/none")
        with pytest.raises(BlobMissing):
            await read(store, "originals/none", 3, 4)
        with pytest.raises(BlobMissing):
            await store.fetch_to("originals/none", tmp_path / "none")
        with pytest.raises(BlobMissing):
            await store.copy("originals/none", "originals/other")

    async def test_deleting_twice_is_fine(self, store: BlobStore) -> None:
        await store.put("staging/a", b"bytes", media_type=JPEG)
        await store.delete("staging/a")
        await store.delete("staging/a")
        assert await store.head("staging/a") is None

    async def test_a_list_holds_what_is_below_the_prefix_in_order(self, store: BlobStore) -> None:
        for key in ("staging/b", "staging/a", "stagings", "originals/2026/11/c"):
            await store.put(key, key.encode(), media_type=JPEG)
        listed = [blob async for blob in store.list("staging/")]
        assert [(blob.key, blob.size_bytes) for blob in listed] == [
            ("staging/a", 9),
            ("staging/b", 9),
        ]
        age = datetime.now(UTC) - listed[0].modified_at
        assert abs(age) < timedelta(minutes=1)
        assert len([blob async for blob in store.list("")]) == 4  # noqa: PLR2004 those above

    async def test_a_list_of_nothing_is_empty(self, store: BlobStore) -> None:
        assert [blob async for blob in store.list("staging/")] == []

    async def test_many_write_at_once(self, store: BlobStore, content: bytes) -> None:
        keys = [f"staging/{number:02}" for number in range(20)]
        await asyncio.gather(*(store.put(key, content, media_type=JPEG) for key in keys))
        assert [blob.key async for blob in store.list("staging/")] == keys
        bodies = await asyncio.gather(*(read(store, key) for key in keys))
        assert set(bodies) == {content}

    async def test_leaving_early_leaves_the_store_usable(
        self, store: BlobStore, content: bytes
    ) -> None:
        await store.put("originals/a", content, media_type=JPEG)
        async with store.open("originals/a") as reader:
            assert reader.size == len(content)
        assert await read(store, "originals/a", 0, 10) == content[:10]

    async def test_a_key_may_hold_what_urls_escape(self, store: BlobStore) -> None:
        key = "renditions/a b+c&d=e%f~(g).jpg"
        await store.put(key, b"odd", media_type=JPEG)
        await store.copy(key, "renditions/copy")
        assert await read(store, key) == b"odd"
        assert [blob.key async for blob in store.list("renditions/")] == [key, "renditions/copy"]

    async def test_it_says_when_it_is_ready(self, store: BlobStore) -> None:
        await store.check()
