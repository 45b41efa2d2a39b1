import pytest
from aiohttp import ClientSession
from fastapi import FastAPI

from darkroom.contracts.surfaces import Surface
from darkroom.platform import errors
from darkroom.platform.errors import ServiceError
from darkroom.platform.http.problems import STATUS, status_of
from darkroom.testing.fixtures.web import AppServer


def test_every_error_family_has_a_status() -> None:
    families = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, ServiceError) and value is not ServiceError
    }
    assert families <= set(STATUS)


def test_a_subclass_answers_with_the_status_of_its_nearest_family() -> None:
    class AlbumFull(errors.Conflict):
        pass

    assert status_of(AlbumFull()) == 409


@pytest.mark.parametrize(
    ("surface", "fields"),
    [
        (Surface.PARTR, {"error", "message", "details", "code", "request_id"}),
        (Surface.IMG, {"type", "error", "status", "message", "errors"}),
        (Surface.IMAGEPRO, {"detail"}),
    ],
)
async def test_a_refusal_takes_the_shape_of_its_surface(
    app: FastAPI, serve_app: AppServer, http: ClientSession, surface: Surface, fields: set[str]
) -> None:
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/forbidden", params={"surface": surface}) as reply:
        body = await reply.json()
    assert reply.status == 403
    assert set(body) == fields
    assert "private fact" not in str(body)


async def test_problem_json_is_given_to_whoever_accepts_it(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    headers = {"Accept": "application/problem+json", "X-Request-Id": "order-66"}
    async with http.get(f"{base_url}/away", headers=headers) as reply:
        body = await reply.json(content_type="application/problem+json")
    assert reply.status == 503
    assert reply.headers["Retry-After"] == "2"
    assert body["code"] == "unavailable"
    assert body["request_id"] == "order-66"


async def test_a_bad_parameter_is_a_400_that_names_it(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/numbers/seven") as reply:
        body = await reply.json()
    assert reply.status == 400
    assert body["code"] == "invalid_field"
    assert list(body["details"]) == ["number"]


@pytest.mark.parametrize(
    ("headers", "body", "sentence"),
    [
        ({"Content-Type": "application/json"}, b'{"name":', "The body is not valid JSON."),
        ({"Content-Type": "application/json"}, b"[]", "The body must be a JSON object"),
        ({"Content-Type": "application/json"}, b"", "The body must be a JSON object"),
        ({"Content-Type": "text/plain"}, b'{"name": "x"}', "The body must be a JSON object"),
    ],
)
async def test_a_body_that_is_no_json_object_is_called_that(
    app: FastAPI,
    serve_app: AppServer,
    http: ClientSession,
    headers: dict[str, str],
    body: bytes,
    sentence: str,
) -> None:
    base_url = await serve_app(app)
    async with http.post(f"{base_url}/names", data=body, headers=headers) as reply:
        problem = await reply.json()
    assert reply.status == 400
    assert problem["message"].startswith(sentence)


async def test_a_bad_field_is_told_in_words_for_clients(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    async with http.post(f"{base_url}/names", json={"name": "x", "kinds": 7}) as reply:
        details = (await reply.json())["details"]
    assert details == {"kinds": "Input should be a valid list"}


async def test_a_reply_is_kept_by_no_cache_unless_it_says_so(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/numbers/7") as reply:
        assert reply.headers["Cache-Control"] == "private, no-store"
    async with http.get(f"{base_url}/kept") as reply:
        assert reply.headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/broken", 405)]
)
async def test_the_framework_never_answers_with_its_own_body(
    app: FastAPI, serve_app: AppServer, http: ClientSession, method: str, path: str, status: int
) -> None:
    base_url = await serve_app(app)
    async with http.request(method, base_url + path) as reply:
        body = await reply.json()
    assert reply.status == status
    assert {"error", "message", "code", "request_id"} <= set(body)


async def test_an_unknown_fault_is_a_500_that_tells_nothing(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/broken") as reply:
        body = await reply.json()
    assert reply.status == 500
    assert body["code"] == "internal_error"
    assert "ZeroDivision" not in str(body)
