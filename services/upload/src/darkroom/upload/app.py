"""The upload service as an app: defaults, lifespan, the surfaces' routers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import Lifespan, build_service
from darkroom.upload.api import partr
from darkroom.upload.settings import UploadSettings
from darkroom.upload.wiring import open_resources


def create_app(settings: UploadSettings) -> FastAPI:
    readiness = Readiness()
    app = build_service("upload", readiness=readiness, lifespan=_lifespan(settings, readiness))
    app.include_router(partr.router)
    return app


def _lifespan(settings: UploadSettings, readiness: Readiness) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            app.state.passports = PassportVerifier(resources.passport_keys)
            readiness.add("storage", resources.blobs.check)
            readiness.add("catalog", resources.catalog.check)
            readiness.add("passport_keys", resources.passport_keys.check)
            yield

    return lifespan
