"""What the upload service holds open, and how a route gets at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from darkroom.platform.auth.keys import RemoteKeySet, open_remote_key_set
from darkroom.platform.http.client import InternalClient, open_internal_client
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.storage.s3 import open_s3
from darkroom.upload.operations import Ports
from darkroom.upload.settings import UploadSettings
from darkroom.upload.store.originals import open_originals
from darkroom.upload.store.registry import Registry
from darkroom.upload.store.spool import SpoolDirectory, open_spool_directory


@dataclass(frozen=True, slots=True)
class Resources:
    spools: SpoolDirectory
    blobs: BlobStore
    catalog: InternalClient
    passport_keys: RemoteKeySet
    ports: Ports


@asynccontextmanager
async def open_resources(settings: UploadSettings) -> AsyncIterator[Resources]:
    with open_spool_directory(
        settings.spool_dir,
        most_under_way=settings.max_under_way,
        most_per_account=settings.max_under_way_per_account,
        reserve_bytes=settings.spool_reserve_bytes,
    ) as spools:
        async with (
            open_s3(settings.s3) as blobs,
            open_internal_client(settings.catalog_url) as catalog,
            open_remote_key_set(settings.passport.keys_url) as passport_keys,
            open_originals(blobs) as originals,
        ):
            ports = Ports(originals, Registry(catalog), settings.register_deadline_seconds)
            yield Resources(spools, blobs, catalog, passport_keys, ports)


async def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


UploadResources = Annotated[Resources, Depends(_resources)]
