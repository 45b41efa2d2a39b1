"""The auth app: routes for `serve`, background roles beside them."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI

from darkroom.auth.api import accounts, checks, keys
from darkroom.auth.settings import AuthSettings
from darkroom.auth.wiring import open_resources
from darkroom.auth.worker import background_roles
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import Lifespan, build_service
from darkroom.platform.runtime import background


def create_app(settings: AuthSettings, roles: Collection[str]) -> FastAPI:
    readiness = Readiness()
    app = build_service("auth", readiness=readiness, lifespan=_lifespan(settings, roles, readiness))
    if "serve" in roles:
        app.include_router(accounts.router)
        app.include_router(keys.router)
        app.include_router(checks.router)
    return app


def _lifespan(settings: AuthSettings, roles: Collection[str], readiness: Readiness) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            app.state.sessions = resources.sessions
            app.state.passports = resources.passports
            readiness.add("postgres", resources.check_database)
            async with background(background_roles(roles, settings, resources)):
                yield

    return lifespan
