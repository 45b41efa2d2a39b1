import re
from datetime import datetime

import aiohttp
import pytest

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PUBLIC_ID = re.compile(r"img_[0-9A-Za-z]{24}")


async def test_an_upload_is_answered_queued_and_readable_at_once(
    partr: Partr, stack: Stack
) -> None:
    reply = await partr.upload(pictures.jpeg(640, 480), album_id=stack.album_id)
    uploaded = reply.json()
    assert reply.status == 201
    assert set(uploaded) == {"image_id", "album_id", "status", "original_url", "created_at"}
    assert uploaded["status"] == "queued"
    assert uploaded["album_id"] == stack.album_id
    assert PUBLIC_ID.fullmatch(uploaded["image_id"])
    assert datetime.strptime(uploaded["created_at"], "%Y-%m-%dT%H:%M:%S%z").tzinfo is not None
    assert (await partr.call("GET", f"/api/v1/images/{uploaded['image_id']}")).status == 200


async def test_a_ready_image_has_its_processed_picture_and_thumbnail(
    partr: Partr, nobody: Partr
) -> None:
    picture = pictures.jpeg(640, 480)
    image = await partr.develop(picture, filename="holiday.jpg")
    assert image["status"] == "ready"
    assert (image["width"], image["height"], image["format"]) == (640, 480, "jpeg")
    assert image["original_filename"] == "holiday.jpg"
    assert image["size_bytes"] == len(picture)
    assert image["processing_duration_ms"] >= 0
    assert image["processed_at"] >= image["created_at"]
    assert {"blurhash", "thumbhash", "palette", "phash", "labels", "nsfw_score"} <= set(image)
    assert image["labels"] is None
    assert len(image["phash"]) == 64
    original = await nobody.call("GET", image["original_url"])
    processed = await nobody.call("GET", image["processed_url"])
    thumbnail = await nobody.call("GET", image["thumbnail_url"])
    assert original.body == picture
    assert pictures.size_of(processed.body) == (640, 480)
    assert pictures.size_of(thumbnail.body) == (320, 240)
    assert thumbnail.headers["content-type"] == "image/webp"


async def test_the_alias_paths_and_both_slash_forms_answer_alike(partr: Partr) -> None:
    image = await partr.develop(pictures.jpeg(32, 32))
    bodies = [
        (await partr.call("GET", path.format(image["id"]))).body
        for path in ("/api/v1/images/{}", "/api/v1/images/{}/", "/v1/images/{}", "/v1/images/{}/")
    ]
    assert len(set(bodies)) == 1


async def test_fields_before_and_after_the_file_mean_the_same(partr: Partr) -> None:
    album_id = await partr.album("either order")
    form = aiohttp.FormData()
    form.add_field("album_id", album_id)
    form.add_field("title", "before")
    form.add_field("file", pictures.jpeg(32, 32), filename="a.jpg")
    form.add_field("tags", "one, two")
    reply = await partr.call("POST", "/api/v1/upload", data=form)
    assert reply.status == 201
    assert reply.json()["album_id"] == album_id


async def test_an_album_lists_newest_first_in_pages(partr: Partr) -> None:
    album_id = await partr.album("pages")
    made = [
        (await partr.develop(pictures.jpeg(16 + n, 16), album_id=album_id))["id"] for n in range(5)
    ]
    pages = [await partr.images(album_id, page=page, limit=2) for page in (1, 2, 3, 4)]
    listed = [image["id"] for page in pages for image in page["images"]]
    assert listed == made[::-1]
    assert pages[0]["meta"] == {"total": 5, "page": 1, "limit": 2, "total_pages": 3}
    assert set(pages[0]["images"][0]) == {
        "id",
        "status",
        "original_url",
        "processed_url",
        "thumbnail_url",
        "created_at",
    }


async def test_an_album_is_filtered_by_status(partr: Partr) -> None:
    album_id = await partr.album("by status")
    await partr.develop(pictures.jpeg(32, 32), album_id=album_id)
    assert (await partr.images(album_id, status="ready"))["meta"]["total"] == 1
    assert (await partr.images(album_id, status="failed"))["images"] == []


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"limit": 0}, {"limit": 101}, {"page": "x"}, {"status": "nice"}]
)
async def test_a_paging_value_out_of_range_is_a_400(
    partr: Partr, stack: Stack, query: dict[str, str | int]
) -> None:
    reply = await partr.call("GET", f"/api/v1/albums/{stack.album_id}/images", params=query)
    assert reply.status == 400
    assert list(reply.json()["details"]) == list(query)


@pytest.mark.parametrize("preset", ["optimize", "enhance", "none"])
async def test_each_preset_develops(partr: Partr, preset: str) -> None:
    image = await partr.develop(pictures.jpeg(200, 100), preset=preset)
    assert image["status"] == "ready"
