import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.app import create_app
from darkroom.catalog.domain.delivery import Shelf, file_path
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.operations.register import register_image
from darkroom.catalog.operations.results import complete_job
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.contracts.claims import CredentialKind
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageFormat
from darkroom.contracts.jobs import JobCompletedV1
from darkroom.contracts.registration import REGISTRATION_PATH, RegisterImage
from darkroom.contracts.surfaces import Surface
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.settings import (
    NatsSettings,
    PassportSettings,
    PostgresSettings,
    S3Settings,
)
from darkroom.platform.storage.s3 import S3BlobStore, open_s3
from darkroom.testing.fixtures.passports import PassportFactory
from darkroom.testing.fixtures.stores import DatabaseFactory
from darkroom.testing.fixtures.web import AppServer

PUBLIC_URL = "http://images.example"


@pytest_asyncio.fixture
async def postgres(database: DatabaseFactory) -> PostgresSettings:
    # Patient: on a busy machine a crowd of parallel calls must queue up, not be turned away.
    patience = {"acquire_timeout_seconds": 30, "lock_timeout_seconds": 30}
    return PostgresSettings.model_validate({"dsn": await database("catalog"), **patience})


@pytest_asyncio.fixture
async def engine(postgres: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    async with open_engine(postgres, name="catalog-tests") as engine:
        yield engine


@pytest.fixture
def sessions(engine: AsyncEngine) -> SessionFactory:
    return session_factory(engine)


@pytest_asyncio.fixture
async def blobs(s3_settings: S3Settings) -> AsyncIterator[S3BlobStore]:
    async with open_s3(s3_settings) as blobs:
        yield blobs


@pytest.fixture
def registration() -> Callable[..., RegisterImage]:
    def make(**changes: Any) -> RegisterImage:
        image_id = new_id()
        request = RegisterImage(
            image_id=image_id,
            original_key=f"originals/2024/01/{image_id}",
            sha256=hashlib.sha256(image_id.bytes).hexdigest(),
            size_bytes=1_000,
            format=ImageFormat.JPEG,
            width=400,
            height=300,
            original_filename="photo.jpg",
        )
        return request.model_copy(update=changes)

    return make


Register = Callable[..., Awaitable[Image]]


@pytest.fixture
def register(
    sessions: SessionFactory, owner: Owner, registration: Callable[..., RegisterImage]
) -> Register:
    async def make(
        owner: Owner = owner,
        upload_id: UUID | None = None,
        now: datetime | None = None,
        **changes: Any,
    ) -> Image:
        async with transaction(sessions) as session:
            return await register_image(
                session,
                owner=owner,
                surface=Surface.PARTR,
                upload_id=upload_id or new_id(),
                request=registration(**changes),
                now=now or datetime.now(UTC),
            )

    return make


@pytest.fixture
def develop(
    sessions: SessionFactory, register: Register, completed: Callable[..., JobCompletedV1]
) -> Register:
    async def make(**changes: Any) -> Image:
        image = await register(**changes)
        async with transaction(sessions) as session:
            await complete_job(session, completed(image), now=datetime.now(UTC))
        return image

    return make


@pytest.fixture
def settings(
    postgres: PostgresSettings,
    nats_settings: NatsSettings,
    s3_settings: S3Settings,
    passport_keys_url: str,
    tmp_path: Path,
) -> CatalogSettings:
    return CatalogSettings(
        postgres=postgres,
        nats=nats_settings,
        s3=s3_settings,
        passport=PassportSettings(keys_url=passport_keys_url),
        capability_key_file=tmp_path / "capability.key",
        public_url=PUBLIC_URL,
    )


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    json: Any


@dataclass(frozen=True)
class Caller:
    """One account calling the catalog, as the gateway would for it."""

    http: aiohttp.ClientSession
    base_url: str
    passport: dict[str, str]

    async def call(self, method: str, path: str, **options: Any) -> Reply:
        headers = self.passport | options.pop("headers", {})
        url = path if path.startswith("http") else f"{self.base_url}{path}"
        async with self.http.request(method, url, headers=headers, **options) as reply:
            body = await reply.read()
            is_json = "json" in reply.headers.get("content-type", "") and body
            fields = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(reply.status, fields, body, await reply.json() if is_json else None)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def register(self, request: RegisterImage, upload_id: UUID | None = None) -> Reply:
        path = f"{REGISTRATION_PATH}/{upload_id or new_id()}"
        return await self.call("PUT", path, json=request.model_dump(mode="json"))


@pytest_asyncio.fixture
async def base_url(settings: CatalogSettings, serve_app: AppServer) -> str:
    return await serve_app(create_app(settings, frozenset({Role.SERVE})))


@pytest.fixture
def caller_for(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory
) -> Callable[..., Caller]:
    def make(account_id: UUID | None = None, **claims: Any) -> Caller:
        return Caller(http, base_url, passport_for(account_id, **claims))

    return make


@pytest.fixture
def caller(caller_for: Callable[..., Caller], owner: Owner) -> Caller:
    return caller_for(owner.account_id)


@pytest.fixture
def stranger(caller_for: Callable[..., Caller]) -> Caller:
    return caller_for()


# What every stored file holds: long enough for ranges, short enough to compare.
FILE = bytes(range(256)) * 10


@pytest.fixture
def stored(
    register: Register, completed: Callable[..., Any], sessions: SessionFactory, blobs: S3BlobStore
) -> Register:
    digest = hashlib.sha256(FILE).hexdigest()

    async def make(**changes: Any) -> Image:
        image = await register(sha256=digest, size_bytes=len(FILE), **changes)
        event = completed(image)
        made = tuple(
            rendition.model_copy(update={"size_bytes": len(FILE), "sha256": digest})
            for rendition in event.renditions
        )
        for key in (image.original.key, *(rendition.key for rendition in made)):
            await blobs.put(key, FILE, media_type="image/jpeg")
        async with transaction(sessions) as session:
            event = event.model_copy(update={"renditions": made})
            await complete_job(session, event, now=datetime.now(UTC))
        return image

    return make


@pytest.fixture
def path_of() -> Callable[[Image, str], str]:
    def path(image: Image, shelf: str) -> str:
        return file_path(Shelf(shelf), image.id, "webp" if shelf == "thumbnails" else "jpg")

    return path


@pytest.fixture
def anybody(caller_for: Callable[..., Caller]) -> Caller:
    return caller_for(credential=CredentialKind.ANONYMOUS)
