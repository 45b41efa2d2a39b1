"""What a catalog process works with, opened in order of dependency."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.links import Links
from darkroom.catalog.domain.reconcile import LatestReport
from darkroom.catalog.settings import CatalogSettings
from darkroom.platform.auth.keyfiles import load_or_create_secret
from darkroom.platform.auth.keys import RemoteKeySet, open_remote_key_set
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.storage.s3 import open_s3


@dataclass(frozen=True, slots=True)
class Resources:
    engine: AsyncEngine
    sessions: SessionFactory
    bus: JetStream
    blobs: BlobStore
    passport_keys: RemoteKeySet
    links: Links
    latest_report: LatestReport = field(default_factory=LatestReport)


@asynccontextmanager
async def open_resources(settings: CatalogSettings) -> AsyncIterator[Resources]:
    key = CapabilityKey(load_or_create_secret(settings.capability_key_file))
    async with (
        open_engine(settings.postgres, name="catalog") as engine,
        open_jetstream(settings.nats, name="catalog") as bus,
        open_s3(settings.s3) as blobs,
        open_remote_key_set(settings.passport.keys_url) as passport_keys,
    ):
        links = Links(settings.public_url, key)
        yield Resources(engine, session_factory(engine), bus, blobs, passport_keys, links)


def wired(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Wired = Annotated[Resources, Depends(wired)]
