from collections.abc import AsyncIterator

import pytest

from darkroom.platform.settings import S3Settings
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.storage.memory import MemoryBlobStore
from darkroom.platform.storage.s3 import open_s3
from darkroom.testing.suites.blob_store import BlobStoreSuite


class TestMemoryBlobStore(BlobStoreSuite):
    @pytest.fixture
    def store(self) -> BlobStore:
        return MemoryBlobStore()


class TestS3BlobStore(BlobStoreSuite):
    @pytest.fixture
    async def store(self, s3_settings: S3Settings) -> AsyncIterator[BlobStore]:
        async with open_s3(s3_settings) as store:
            yield store
