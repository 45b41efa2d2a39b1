"""The catalog's app: defaults, lifespan, routers of the roles it has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import select

from darkroom.catalog.api import albums, images, media, reconcile, registrations
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.catalog.wiring import Resources, open_resources
from darkroom.catalog.worker import background_roles
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.db.session import transaction
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import Lifespan, build_service
from darkroom.platform.runtime import background


def create_app(settings: CatalogSettings, roles: frozenset[Role]) -> FastAPI:
    readiness = Readiness()
    app = build_service(
        "catalog", readiness=readiness, lifespan=_lifespan(settings, roles, readiness)
    )
    if Role.SERVE in roles:
        for module in (registrations, images, albums, media):
            app.include_router(module.router)
    if Role.SWEEP in roles:
        app.include_router(reconcile.router)
    return app


def _lifespan(settings: CatalogSettings, roles: frozenset[Role], readiness: Readiness) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            app.state.sessions = resources.sessions
            app.state.passports = PassportVerifier(resources.passport_keys)
            _watch(readiness, resources, roles)
            async with background(background_roles(resources, settings, roles)):
                yield

    return lifespan


def _watch(readiness: Readiness, resources: Resources, roles: frozenset[Role]) -> None:
    """S3 is not waited for: without it lists and details still work, and media say 503 themselves.

    Nor are the passport keys, for the gateway that has them waits for us.
    """

    async def check_postgres() -> None:
        async with transaction(resources.sessions) as session:
            await session.execute(select(1))

    readiness.add("postgres", check_postgres)
    if roles & {Role.RELAY, Role.WORK}:
        readiness.add("nats", resources.bus.check)
