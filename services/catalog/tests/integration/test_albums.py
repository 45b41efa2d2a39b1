from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from darkroom.catalog.domain.image import Image
from darkroom.contracts.claims import Scope
from darkroom.contracts.ids import Prefix, encode_id

Make = Callable[..., Awaitable[Image]]


async def test_an_album_is_made_as_documented(caller: Any) -> None:
    body = {"title": " Summer ", "description": "Two\nlines", "visibility": "public", "tags": ["a"]}
    reply = await caller.call("POST", "/api/v1/albums", json=body)
    assert reply.status == 201
    album = reply.json
    assert list(album) == ["id", "title", "description", "visibility", "tags", "createdAt", "url"]
    assert album | {"id": 0, "createdAt": 0, "url": 0} == body | {
        "id": 0,
        "createdAt": 0,
        "url": 0,
        "title": "Summer",
    }
    assert album["url"] == f"http://images.example/a/{album['id']}"
    empty = await caller.get(f"/api/v1/albums/{album['id']}/images")
    meta = {"total": 0, "page": 1, "limit": 20, "total_pages": 0}
    assert empty.json == {"images": [], "meta": meta}


async def test_an_album_is_private_unless_said_otherwise(caller: Any) -> None:
    reply = await caller.call("POST", "/api/v1/albums", json={"title": "x", "owner_id": "y"})
    assert (reply.status, reply.json["visibility"], reply.json["tags"]) == (201, "private", [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "  "},
        {"title": "\0"},
        {"title": 7},
        {"title": "x" * 201},
        {"title": "x", "description": "\0"},
        {"title": "x", "visibility": "secret"},
        {"title": "x", "tags": ["y"] * 51},
        {"title": "x", "tags": ["y" * 51]},
        {"title": "x", "password": "secret"},
        {"title": "x", "fileIds": ["img_x"]},
        {"title": "\ud800"},
    ],
)
async def test_a_bad_album_is_refused_in_a_sentence(caller: Any, body: Any) -> None:
    reply = await caller.call("POST", "/api/v1/albums", json=body)
    assert reply.status == 400
    assert reply.json["message"].endswith(".")
    assert reply.json["code"] in {"invalid_field", "missing_field"}


@pytest.mark.parametrize("body", [[], None, "x"])
async def test_an_album_that_is_no_object_is_refused_in_a_sentence(caller: Any, body: Any) -> None:
    reply = await caller.call("POST", "/api/v1/albums", json=body)
    assert (reply.status, reply.json["code"]) == (400, "bad_request")
    assert reply.json["message"].endswith(".")


async def test_making_an_album_needs_the_write_scope(caller_for: Callable[..., Any]) -> None:
    reader = caller_for(scopes=frozenset({Scope.READ, Scope.UPLOAD}))
    reply = await reader.call("POST", "/api/v1/albums", json={"title": "x"})
    assert (reply.status, reply.json["code"]) == (403, "scope_missing")


async def test_a_page_has_the_documented_fields_newest_first(
    caller: Any, register: Make, develop: Make
) -> None:
    first = await develop()
    second = await register()
    album = encode_id(Prefix.ALBUM, first.album_id)
    page = (await caller.get(f"/api/v1/albums/{album}/images")).json
    assert [image["id"] for image in page["images"]] == [
        encode_id(Prefix.IMAGE_PARTR, image.id) for image in (second, first)
    ]
    fields = ["id", "status", "original_url", "processed_url", "thumbnail_url", "created_at"]
    assert [list(image) for image in page["images"]] == [fields, fields]
    assert page["meta"] == {"total": 2, "page": 1, "limit": 20, "total_pages": 1}
    ready = (await caller.get(f"/api/v1/albums/{album}/images?status=ready&limit=1")).json
    assert [image["status"] for image in ready["images"]] == ["ready"]
    assert ready["meta"] == {"total": 1, "page": 1, "limit": 1, "total_pages": 1}


async def test_pages_end_where_the_album_ends(caller: Any, register: Make) -> None:
    images = [await register() for _ in range(5)]
    album = encode_id(Prefix.ALBUM, images[0].album_id)
    last = (await caller.get(f"/api/v1/albums/{album}/images?page=3&limit=2")).json
    assert len(last["images"]) == 1
    assert last["meta"] == {"total": 5, "page": 3, "limit": 2, "total_pages": 3}
    for page in (4, 10**9, 10**30):
        beyond = await caller.get(f"/api/v1/albums/{album}/images?page={page}&limit=2")
        assert (beyond.status, beyond.json["images"]) == (200, [])
        assert beyond.json["meta"]["total"] == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("page=1.5", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=" + "9" * 5_000, "limit"),
        ("status=done", "status"),
        ("status=", "status"),
        ("status=READY", "status"),
    ],
)
async def test_a_page_out_of_range_is_refused_naming_the_parameter(
    caller: Any, register: Make, query: str, field: str
) -> None:
    album = encode_id(Prefix.ALBUM, (await register()).album_id)
    reply = await caller.get(f"/api/v1/albums/{album}/images?{query}")
    assert reply.status == 400
    assert list(reply.json["details"]) == [field]
