from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from darkroom.platform.settings import S3Settings
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.storage.memory import MemoryBlobStore
from darkroom.platform.storage.s3 import open_s3
from darkroom.testing.suites.blob_store import BlobStoreSuite


class FilesSuite(BlobStoreSuite):
    async def test_an_open_file_is_put_whole_whatever_its_name_has_become(
        self, store: BlobStore, content: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / "source"
        path.write_bytes(content)
        with path.open("rb") as file:
            path.unlink()
            path.write_bytes(b"other")
            for _ in range(2):
                stored = await store.put("staging/a", file, media_type="image/jpeg")
                assert stored.size_bytes == len(content)
        await store.fetch_to("staging/a", path)
        assert path.read_bytes() == content


class TestMemoryBlobStore(FilesSuite):
    @pytest.fixture
    def store(self) -> BlobStore:
        return MemoryBlobStore()


class TestS3BlobStore(FilesSuite):
    @pytest.fixture
    async def store(self, s3_settings: S3Settings) -> AsyncIterator[BlobStore]:
        async with open_s3(s3_settings) as store:
            yield store
