import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.store.tables import METADATA, album_counts, outbox
from darkroom.contracts.claims import CredentialKind, Scope
from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.contracts.images import ImageRegisteredV1
from darkroom.contracts.jobs import JobRequestedV1
from darkroom.contracts.registration import ALBUM_CHECK_PATH, RegisterImage
from darkroom.contracts.surfaces import Stage
from darkroom.platform.db.session import SessionFactory

Registration = Callable[..., RegisterImage]
Callers = Callable[..., Any]


@pytest.fixture
def count(sessions: SessionFactory) -> Callable[[str], Awaitable[int]]:
    async def rows(table: str) -> int:
        async with sessions() as session:
            query = select(func.count()).select_from(METADATA.tables[table])
            return int(await session.scalar(query) or 0)

    return rows


async def test_a_registration_makes_the_image_its_job_and_its_event_at_once(
    caller: Any, registration: Registration, sessions: SessionFactory
) -> None:
    request = registration()
    reply = await caller.register(request)
    assert (reply.status, reply.json["status"]) == (200, "queued")
    assert reply.json["image_id"] == str(request.image_id)
    public_id = encode_id(Prefix.IMAGE_PARTR, request.image_id)
    assert reply.json["original_url"] == f"http://images.example/storage/uploads/{public_id}.jpg"
    async with sessions() as session:
        job_row, event_row = await session.execute(select(outbox).order_by(outbox.c.position))
    job = JobRequestedV1.decode(job_row.payload)
    registered = ImageRegisteredV1.decode(event_row.payload)
    assert job_row.subject == "darkroom.jobs.requested.v1.bulk"
    assert (job.attempt, job.source_key) == (1, request.original_key)
    assert registered.size_bytes == request.size_bytes
    assert registered.image_id == job.image_id == request.image_id


async def test_a_repeated_registration_answers_the_same_image_and_makes_nothing(
    caller: Any, registration: Registration, count: Callable[[str], Awaitable[int]]
) -> None:
    upload_id = new_id()
    first = await caller.register(registration(), upload_id)
    second = await caller.register(registration(), upload_id)
    assert second.json == first.json
    assert [await count(table) for table in ("images", "outbox", "albums")] == [1, 2, 1]


async def test_k_08_a_hundred_registrations_of_one_upload_make_one_image(
    caller: Any, registration: Registration, count: Callable[[str], Awaitable[int]]
) -> None:
    request, upload_id = registration(), new_id()
    replies = await asyncio.gather(*(caller.register(request, upload_id) for _ in range(100)))
    assert {reply.status for reply in replies} == {200}
    assert {reply.json["image_id"] for reply in replies} == {str(request.image_id)}
    assert [await count(table) for table in ("images", "outbox", "albums")] == [1, 2, 1]


async def test_first_uploads_at_the_same_moment_share_one_default_album(
    caller: Any, registration: Registration, sessions: SessionFactory
) -> None:
    replies = await asyncio.gather(*(caller.register(registration()) for _ in range(30)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["album_id"] for reply in replies}) == 1
    async with sessions() as session:
        assert await session.scalar(select(func.sum(album_counts.c.images))) == 30


async def test_each_stage_has_its_own_default_album(
    caller_for: Callers, owner: Owner, registration: Registration
) -> None:
    live = await caller_for(owner.account_id).register(registration())
    test = await caller_for(owner.account_id, stage=Stage.TEST).register(registration())
    assert live.json["album_id"] != test.json["album_id"]


async def test_a_foreign_album_takes_nothing(
    caller: Any,
    stranger: Any,
    registration: Registration,
    count: Callable[[str], Awaitable[int]],
) -> None:
    album_id = (await stranger.call("POST", "/api/v1/albums", json={"title": "Mine"})).json["id"]
    for wanted in (album_id, encode_id(Prefix.ALBUM, new_id()), "alb_x", "", "your-album-id"):
        assert (await caller.register(registration(album_id=wanted))).status == 404
        check = await caller.get(ALBUM_CHECK_PATH, params={"album_id": wanted})
        assert check.status == 404
    assert (await stranger.get(ALBUM_CHECK_PATH, params={"album_id": album_id})).status == 204
    assert [await count(table) for table in ("images", "outbox")] == [0, 0]


async def test_an_image_id_that_is_taken_is_a_conflict(
    caller: Any, registration: Registration
) -> None:
    request = registration()
    assert (await caller.register(request)).status == 200
    assert (await caller.register(request)).status == 409


async def test_a_registration_outlives_its_passport_by_an_hour_and_no_other_call_does(
    caller_for: Callers, registration: Registration
) -> None:
    late = caller_for(now=int(time.time()) - 3_000)
    assert (await late.register(registration())).status == 200
    assert (await late.get(ALBUM_CHECK_PATH, params={"album_id": "x"})).status == 401
    too_late = caller_for(now=int(time.time()) - 3_700)
    assert (await too_late.register(registration())).status == 401


async def test_az_08_registration_needs_a_passport_that_may_upload(
    caller_for: Callers, registration: Registration, count: Callable[[str], Awaitable[int]]
) -> None:
    reader = caller_for(scopes=frozenset({Scope.READ}))
    nobody = caller_for(credential=CredentialKind.ANONYMOUS)
    direct = caller_for()
    direct.passport.clear()
    statuses = [(await who.register(registration())).status for who in (reader, nobody, direct)]
    assert statuses == [403, 401, 401]
    assert await count("images") == 0


async def test_text_that_cannot_be_stored_is_cleaned(
    caller: Any, registration: Registration
) -> None:
    request = registration(original_filename="a\0b\r\n.jpg", title="\0", tags=("x\0", "x", " "))
    reply = await caller.register(request)
    assert reply.status == 200
    detail = await caller.get(f"/api/v1/images/{encode_id(Prefix.IMAGE_PARTR, request.image_id)}")
    assert detail.json["original_filename"] == "ab.jpg"


async def test_a_registration_that_cannot_be_read_is_refused(caller: Any) -> None:
    path = f"/-/registrations/{new_id()}"
    bodies: list[Any] = [{}, {"image_id": "x"}, [], "text"]
    for body in bodies:
        assert (await caller.call("PUT", path, json=body)).status == 400
    assert (await caller.call("PUT", path, json="{")).status == 400
    assert (await caller.call("PUT", "/-/registrations/x", json={})).status == 400
