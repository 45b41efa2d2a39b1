import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from darkroom.catalog.domain.image import Image
from darkroom.platform.storage.s3 import S3BlobStore

Make = Callable[..., Awaitable[Image]]
Callers = Callable[..., Any]
BYTES = bytes(range(256)) * 10
SHELVES = ["uploads", "processed", "thumbnails"]


PathOf = Callable[[Image, str], str]


@pytest.mark.parametrize("shelf", SHELVES)
async def test_pub_01_a_file_is_sent_whole_with_every_safety_header(
    path_of: PathOf, shelf: str, stored: Make, anybody: Any
) -> None:
    reply = await anybody.get(path_of(await stored(), shelf), headers={"Accept": "text/html"})
    assert (reply.status, reply.body) == (200, BYTES)
    headers = reply.headers
    assert headers["content-type"] == ("image/webp" if shelf == "thumbnails" else "image/jpeg")
    assert headers["content-length"] == str(len(BYTES))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"] == f'"{hashlib.sha256(BYTES).hexdigest()}"'
    assert headers["cache-control"] == "public, no-cache"
    assert headers["last-modified"].endswith("GMT")
    assert "set-cookie" not in headers
    disposition = headers["content-disposition"]
    assert disposition.startswith("attachment; ") if shelf == "uploads" else disposition == "inline"


async def test_pub_03_an_original_is_saved_under_its_own_harmless_name(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
    image = await stored(original_filename='../"x"\r\nSet-Cookie: a=b\u202e.html')
    reply = await anybody.get(path_of(image, "uploads"))
    assert reply.headers["content-disposition"] == (
        "attachment; filename=\"xSet-Cookie a=b.jpg\"; filename*=UTF-8''xSet-Cookie%20a%3Db.jpg"
    )
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=-10", 2550, 2559), ("bytes=100-", 100, 2559)],
)
async def test_pub_04_a_range_is_sent_alone(
    path_of: PathOf, header: str, first: int, last: int, stored: Make, anybody: Any
) -> None:
    reply = await anybody.get(path_of(await stored(), "processed"), headers={"Range": header})
    assert (reply.status, reply.body) == (206, BYTES[first : last + 1])
    assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(BYTES)}"
    assert reply.headers["content-length"] == str(last - first + 1)


async def test_pub_04_many_ranges_and_nonsense_get_the_whole_file(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "processed")
    for header in ("bytes=" + ",".join(["0-"] * 1_000), "bytes=9-1", "lines=1-2", "bytes=x"):
        reply = await anybody.get(path, headers={"Range": header})
        assert (reply.status, len(reply.body)) == (200, len(BYTES))


async def test_pub_04_a_range_beyond_the_file_is_refused_with_its_size(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "processed")
    reply = await anybody.get(path, headers={"Range": "bytes=2560-"})
    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{len(BYTES)}"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json["code"] == "range_not_satisfiable"


async def test_pub_08_a_copy_that_is_still_good_is_not_sent_again(
    path_of: PathOf, stored: Make, anybody: Any, blobs: S3BlobStore
) -> None:
    image = await stored()
    path = path_of(image, "uploads")
    whole = await anybody.get(path)
    tag, date = whole.headers["etag"], whole.headers["last-modified"]
    stale = {"If-None-Match": '"other"', "If-Modified-Since": date}
    assert (await anybody.get(path, headers=stale)).status == 200
    ranged = {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert (await anybody.get(path, headers=ranged)).status == 200
    ranged["If-Range"] = tag
    assert (await anybody.get(path, headers=ranged)).status == 206
    # The row alone answers: the store is not asked.
    await blobs.delete(image.original.key)
    for fresh in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
        for method in ("GET", "HEAD"):
            reply = await anybody.call(method, path, headers=fresh)
            assert (reply.status, reply.body) == (304, b"")
            assert reply.headers["etag"] == tag
            assert "content-length" not in reply.headers


async def test_pub_12_head_tells_what_get_would_send(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "uploads")
    whole, head = await anybody.get(path), await anybody.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    own = {"date", "x-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in whole.headers.items() if n not in own
    }


async def test_a_file_that_the_store_has_lost_is_a_503_and_never_a_stub(
    path_of: PathOf, stored: Make, anybody: Any, blobs: S3BlobStore
) -> None:
    lost, cut = await stored(), await stored()
    await blobs.delete(lost.original.key)
    await blobs.put(cut.original.key, BYTES[:100], media_type="image/jpeg")
    for image in (lost, cut):
        path = path_of(image, "uploads")
        for headers in ({}, {"Range": "bytes=2000-"}):
            reply = await anybody.get(path, headers=headers)
            assert (reply.status, reply.json["code"]) == (503, "unavailable")
            assert reply.headers["retry-after"]
        assert (await anybody.call("HEAD", path)).status == 503


async def test_a_large_file_streams_and_a_client_that_leaves_costs_nothing_more(
    path_of: PathOf,
    register: Make,
    blobs: S3BlobStore,
    caller: Any,
    http: aiohttp.ClientSession,
) -> None:
    size = 30_000_000
    image = await register(size_bytes=size)
    await blobs.put(image.original.key, bytes(size), media_type="image/jpeg")
    url = f"{caller.base_url}{path_of(image, 'uploads')}"
    before = len(asyncio.all_tasks())
    replies = [await http.get(url, headers=caller.passport) for _ in range(20)]
    for reply in replies:
        await reply.content.readexactly(1_000)
        reply.close()
    async with asyncio.timeout(20):
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0.01)
    async with http.get(url, headers=caller.passport) as reply:
        received = 0
        async for chunk in reply.content.iter_any():
            received += len(chunk)
    assert received == size
