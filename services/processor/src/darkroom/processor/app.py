"""The processor as an app: health only; jobs come from the broker."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from darkroom.contracts.jobs import Lane
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import Lifespan, build_service
from darkroom.platform.runtime import background
from darkroom.processor.settings import ProcessorSettings
from darkroom.processor.wiring import open_resources
from darkroom.processor.worker import work


def create_app(settings: ProcessorSettings, lanes: Collection[Lane]) -> FastAPI:
    readiness = Readiness()
    lifespan = _lifespan(settings, lanes, readiness)
    return build_service("processor", readiness=readiness, lifespan=lifespan)


def _lifespan(
    settings: ProcessorSettings, lanes: Collection[Lane], readiness: Readiness
) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, lanes=len(lanes)) as resources:
            app.state.resources = resources
            readiness.add("nats", resources.bus.check)
            readiness.add("storage", resources.ports.blobs.check)
            readiness.add("sandbox", resources.sandbox.check)
            readiness.add("scratch", resources.ports.scratch.check)
            role = partial(work, settings=settings, lanes=lanes, resources=resources)
            async with background({"work": role}):
                yield

    return lifespan
