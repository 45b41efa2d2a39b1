from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from darkroom.contracts.surfaces import Surface
from darkroom.platform.errors import Forbidden, Unavailable
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service


class Named(BaseModel):
    name: str
    kinds: frozenset[str] = frozenset()


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def app(readiness: Readiness) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    service = build_service("sample", readiness=readiness, lifespan=lifespan)

    @service.get("/numbers/{number}")
    async def number(number: int) -> dict[str, int]:
        return {"number": number}

    @service.post("/names")
    async def names(body: Named) -> str:
        return body.name

    @service.get("/kept")
    async def kept() -> Response:
        return Response(headers={"Cache-Control": "public, no-cache"})

    @service.get("/forbidden")
    async def forbidden(request: Request, surface: Surface) -> None:
        request.state.surface = surface
        raise Forbidden(secret="private fact")

    @service.get("/away")
    async def away() -> None:
        raise Unavailable

    @service.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    return service
