import hashlib
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from darkroom.contracts.ids import new_id
from darkroom.upload.domain.errors import SpoolFull, TooManyOfAccount, TooManyUploads
from darkroom.upload.store.spool import (
    PIECE_BYTES,
    Spool,
    SpoolDirectory,
    open_spool_directory,
)

ACCOUNT, ANOTHER, THIRD = new_id(), new_id(), new_id()


@pytest.fixture
def spools(tmp_path: Path) -> Iterator[SpoolDirectory]:
    with open_spool_directory(
        tmp_path, most_under_way=3, most_per_account=2, reserve_bytes=0
    ) as directory:
        yield directory


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 5])
async def test_bytes_are_written_and_hashed_in_one_pass(spools: SpoolDirectory, size: int) -> None:
    content = os.urandom(size)
    async with spools.open(expected_bytes=size, uploader_id=ACCOUNT) as spool:
        for start in range(0, size, 70_000):
            spool.take(memoryview(content)[start : start + 70_000])
            await spool.drain()
        spooled = await spool.finish()
        assert spooled.path.read_bytes() == content
    assert (spooled.size_bytes, spooled.sha256) == (size, hashlib.sha256(content).hexdigest())


async def test_the_file_is_gone_whatever_happened(spools: SpoolDirectory) -> None:
    async def break_off() -> None:
        async with spools.open(expected_bytes=1, uploader_id=ACCOUNT) as spool:
            spool.take(memoryview(bytes(2 * PIECE_BYTES)))
            await spool.drain()
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        await break_off()
    assert [path.name for path in spools.folder.iterdir()] == ["lock"]


async def test_one_account_has_a_share_of_the_uploads_under_way(spools: SpoolDirectory) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(spools.open(expected_bytes=1, uploader_id=ACCOUNT))
        with pytest.raises(TooManyOfAccount):
            await stack.enter_async_context(spools.open(expected_bytes=1, uploader_id=ACCOUNT))
        await stack.enter_async_context(spools.open(expected_bytes=1, uploader_id=ANOTHER))
        with pytest.raises(TooManyUploads):
            await stack.enter_async_context(spools.open(expected_bytes=1, uploader_id=THIRD))
    assert (spools.under_way, dict(spools.under_way_of)) == (0, {})
    async with spools.open(expected_bytes=1, uploader_id=ACCOUNT) as spool:
        assert (await spool.finish()).size_bytes == 0


async def test_h_02_an_upload_the_disk_has_no_room_for_is_refused_first(
    spools: SpoolDirectory,
) -> None:
    with pytest.raises(SpoolFull):
        async with spools.open(expected_bytes=2**62, uploader_id=ACCOUNT):
            pass
    assert spools.under_way == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
async def test_h_02_a_disk_that_fills_up_is_a_refusal_and_not_a_short_file() -> None:
    full = open("/dev/full", "wb")  # noqa: ASYNC230, PTH123, SIM115 - the spool closes it
    spool = Spool(Path("/nowhere/to/be/found"), full)
    spool.take(memoryview(b"x" * 10))
    with pytest.raises(SpoolFull):
        await spool.finish()
    await spool.discard()
    assert full.closed
