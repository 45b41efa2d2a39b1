import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import aiohttp
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from darkroom.contracts.claims import PASSPORT_HEADER
from darkroom.contracts.ids import InvalidId, Prefix, decode_id, new_id
from darkroom.contracts.images import ImageStatus
from darkroom.contracts.registration import (
    ALBUM_CHECK_PATH,
    REGISTRATION_PATH,
    RegisteredImage,
    RegisterImage,
)
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth.keys import SigningKey, local_key_set
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.errors import NotFound, Unavailable
from darkroom.platform.http.problems import problem_response
from darkroom.platform.settings import PassportSettings, S3Settings
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.storage.s3 import open_s3
from darkroom.testing.fixtures.passports import PassportFactory
from darkroom.testing.fixtures.web import AppServer
from darkroom.upload.app import create_app
from darkroom.upload.settings import UploadSettings

REGISTRATION_LEEWAY_SECONDS = 3_600


@dataclass
class RegistrationDesk:
    """Keeps catalog's promises about registration, in memory, over real HTTP."""

    passports: PassportVerifier
    albums: dict[UUID, UUID] = field(default_factory=dict)
    registered: dict[UUID, RegisteredImage] = field(default_factory=dict)
    requests: list[RegisterImage] = field(default_factory=list)
    failures_left: int = 0
    loses_replies: int = 0
    # Whoever loses a reply loses the album as well, before the caller asks again.
    closes_albums: bool = False
    seconds: float = 0.0

    def album_of(self, account_id: UUID) -> UUID:
        album_id = new_id()
        self.albums[album_id] = account_id
        return album_id

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route(ALBUM_CHECK_PATH, self.check_album, methods=["GET"])
        app.add_api_route("/-/live", self.live, methods=["GET"])
        path = f"{REGISTRATION_PATH}/{{upload_id}}"
        app.add_api_route(path, self.register, methods=["PUT"])
        return app

    async def live(self) -> Response:
        return Response()

    async def check_album(self, request: Request, album_id: str) -> Response:
        account_id = await self._caller(request, leeway_seconds=0)
        if self._album(album_id, account_id) is None:
            return problem_response(NotFound(), surface=Surface.PARTR)
        return Response(status_code=204)

    async def register(self, request: Request, upload_id: UUID) -> Response:
        account_id = await self._caller(request, leeway_seconds=REGISTRATION_LEEWAY_SECONDS)
        image = RegisterImage.model_validate_json(await request.body())
        self.requests.append(image)
        await asyncio.sleep(self.seconds)
        if self.failures_left:
            self.failures_left -= 1
            return problem_response(Unavailable(), surface=Surface.PARTR)
        album_id = self._album(image.album_id, account_id)
        if album_id is None:
            return problem_response(NotFound(), surface=Surface.PARTR)
        registered = self.registered.setdefault(upload_id, self._registered(image, album_id))
        if self.loses_replies:
            self.loses_replies -= 1
            if self.closes_albums:
                self.albums.clear()
            return problem_response(Unavailable(), surface=Surface.PARTR)
        return Response(registered.model_dump_json(), media_type="application/json")

    async def _caller(self, request: Request, *, leeway_seconds: int) -> UUID:
        token = request.headers[PASSPORT_HEADER]
        passport = await self.passports.verify(token, leeway_seconds=leeway_seconds)
        account_id = passport.principal.account_id
        assert account_id is not None
        return account_id

    def _album(self, album_id: str | None, account_id: UUID) -> UUID | None:
        if album_id is None:
            return self.album_of(account_id)
        try:
            value = decode_id(album_id, Prefix.ALBUM)
        except InvalidId:
            return None
        return value if self.albums.get(value) == account_id else None

    def _registered(self, image: RegisterImage, album_id: UUID) -> RegisteredImage:
        return RegisteredImage(
            image_id=image.image_id,
            album_id=album_id,
            status=ImageStatus.QUEUED,
            original_url=f"http://localhost/storage/uploads/{image.image_id}",
            created_at=datetime.now(UTC),
        )


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def written(filename: str) -> str:
    # As browsers write it, or as RFC 5987 does where that would break the header.
    if filename.isprintable():
        return f'filename="{filename}"'
    return f"filename*=UTF-8''{quote(filename)}"


@dataclass(frozen=True)
class UploadClient:
    http: aiohttp.ClientSession
    base_url: str
    passport_for: PassportFactory

    async def send(
        self,
        content: bytes | None,
        *,
        filename: str = "a.jpg",
        content_type: str = "image/jpeg",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> Reply:
        writer = aiohttp.MultipartWriter("form-data")
        for name, value in fields.items():
            writer.append(value, {"content-disposition": f'form-data; name="{name}"'})
        if content is not None:
            disposition = f'form-data; name="file"; {written(filename)}'
            writer.append(
                io.BytesIO(content),
                {"content-disposition": disposition, "content-type": content_type},
            )
        return await self.post(data=writer, headers=headers or self.passport_for())

    async def post(self, **options: Any) -> Reply:
        if isinstance(options.get("data"), bytes):
            # aiohttp warns of large bodies given as bytes.
            options["data"] = io.BytesIO(options["data"])
        async with self.http.post(f"{self.base_url}/api/v1/upload", **options) as reply:
            return Reply(reply.status, dict(reply.headers), await reply.json(content_type=None))


@dataclass(frozen=True)
class Bucket:
    blobs: BlobStore

    async def keys(self) -> list[str]:
        return [listed.key async for listed in self.blobs.list("")]

    async def content(self, key: str) -> bytes:
        async with self.blobs.open(key) as reader:
            return b"".join([chunk async for chunk in reader.chunks()])


@pytest.fixture
def desk(signing_key: SigningKey) -> RegistrationDesk:
    return RegistrationDesk(PassportVerifier(local_key_set(signing_key)))


@pytest_asyncio.fixture
async def bucket(s3_settings: S3Settings) -> AsyncIterator[Bucket]:
    async with open_s3(s3_settings) as blobs:
        await blobs.check()
        yield Bucket(blobs)


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest_asyncio.fixture
async def settings_for(
    passport_keys_url: str, s3_settings: S3Settings, spool_dir: Path
) -> Callable[..., UploadSettings]:
    def make(**changes: Any) -> UploadSettings:
        return UploadSettings(
            **{
                "s3": s3_settings,
                "passport": PassportSettings(keys_url=passport_keys_url),
                "catalog_url": "http://127.0.0.1:1",
                "spool_dir": spool_dir,
                "register_deadline_seconds": 1.5,
                "spool_reserve_bytes": 0,
                **changes,
            }
        )

    return make


@pytest.fixture
def client_of(
    http: aiohttp.ClientSession, passport_for: PassportFactory
) -> Callable[[str], UploadClient]:
    def make(base_url: str) -> UploadClient:
        return UploadClient(http, base_url, passport_for)

    return make


@pytest.fixture
def client_for(
    settings_for: Callable[..., UploadSettings],
    serve_app: AppServer,
    client_of: Callable[[str], UploadClient],
) -> Callable[..., Any]:
    async def make(**changes: Any) -> UploadClient:
        return client_of(await serve_app(create_app(settings_for(**changes))))

    return make


@pytest_asyncio.fixture
async def client(
    client_for: Callable[..., Any], serve_app: AppServer, desk: RegistrationDesk
) -> UploadClient:
    made: UploadClient = await client_for(catalog_url=await serve_app(desk.app()))
    return made
