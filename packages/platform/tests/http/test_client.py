import asyncio
import errno
import socket

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from darkroom.contracts.problems import ProblemCode
from darkroom.contracts.surfaces import Surface
from darkroom.platform.errors import BadReply, Forbidden, TimedOut, Unavailable
from darkroom.platform.http.client import InternalReply, cause_of, open_internal_client
from darkroom.platform.http.requests import adopt_request_id
from darkroom.testing.fixtures.web import AppServer


async def test_a_refusal_crosses_the_hop_as_the_same_family_and_code(
    app: FastAPI, serve_app: AppServer
) -> None:
    base_url = await serve_app(app)
    async with open_internal_client(base_url) as client:
        reply = await client.call("GET", "/forbidden", params={"surface": Surface.PARTR})
    with pytest.raises(Forbidden) as caught:
        reply.raise_for_problem()
    assert caught.value.problem_code is ProblemCode.FORBIDDEN


async def test_a_neighbour_that_is_away_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with open_internal_client(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(Unavailable):
                await client.call("GET", "/")


async def test_a_neighbour_that_does_not_answer_in_time_is_timed_out(
    app: FastAPI, serve_app: AppServer
) -> None:
    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(5)

    base_url = await serve_app(app)
    async with open_internal_client(base_url, timeout_seconds=0.1) as client:
        with pytest.raises(TimedOut):
            await client.call("GET", "/slow")


async def test_the_request_id_and_passport_travel_along(app: FastAPI, serve_app: AppServer) -> None:
    @app.get("/echo")
    async def echo(request: Request) -> dict[str, str]:
        names = ("x-request-id", "x-darkroom-passport")
        return {name: request.headers[name] for name in names}

    base_url = await serve_app(app)
    adopt_request_id("order-66")
    async with open_internal_client(base_url) as client:
        reply = await client.call("GET", "/echo", passport="signed")
    assert reply.json() == {"x-request-id": "order-66", "x-darkroom-passport": "signed"}


async def test_a_malformed_reply_is_unavailable_and_its_context_holds_no_secrets() -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/9 nonsense\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(misbehave, "127.0.0.1", 0) as server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with open_internal_client(base_url) as client:
            with pytest.raises(Unavailable) as caught:
                await client.call("GET", "/", params={"t": "a-capability"}, passport="signed")
    assert caught.value.context["error"] == "ClientResponseError"
    assert "a-capability" not in str(caught.value.context)


def test_an_error_is_named_by_its_class_and_number_only() -> None:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "to http://a/?t=a-capability")
    assert cause_of(refused) == f"ConnectionRefusedError [errno {errno.ECONNREFUSED}]"
    assert cause_of(ValueError("a-capability")) == "ValueError"


def test_a_reply_that_is_not_json_is_a_bad_reply() -> None:
    with pytest.raises(BadReply):
        InternalReply(200, b"<html>").json()
