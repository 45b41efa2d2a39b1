"""Registering an upload: an image, its place in an album and its first job, all or nothing."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.album import DEFAULT_ALBUM_TITLE, Album
from darkroom.catalog.domain.errors import AlbumMissing, UploadTaken
from darkroom.catalog.domain.image import Image, Original
from darkroom.catalog.domain.job import develop_job
from darkroom.catalog.domain.overdue import patience
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.domain.text import clean_text
from darkroom.catalog.operations.metrics import IMAGES_REGISTERED
from darkroom.catalog.store.albums import Albums
from darkroom.catalog.store.images import Images
from darkroom.contracts.ids import InvalidId, Prefix, decode_id, new_id
from darkroom.contracts.images import ImageRegisteredV1, ImageStatus, Visibility
from darkroom.contracts.registration import RegisterImage
from darkroom.contracts.surfaces import Surface
from darkroom.platform.messaging.outbox import record

# As long as file systems take, in characters.
LONGEST_FILENAME: Final = 255
# A line in a list.
LONGEST_TITLE: Final = 200
# A word or two; more tags than anybody looks through are a mistake.
LONGEST_TAG: Final = 50
MOST_TAGS: Final = 50


async def register_image(
    session: AsyncSession,
    *,
    owner: Owner,
    surface: Surface,
    upload_id: UUID,
    request: RegisterImage,
    now: datetime,
) -> Image:
    """Make the image, or answer the one the same upload made before, as it stands."""
    images = Images(session)
    known = await images.find_by_upload(upload_id, owner=owner)
    if known is not None:
        return known
    album = await choose_album(session, owner=owner, album_id=request.album_id, now=now)
    image = await images.add(
        _queued(request, album=album, surface=surface, upload_id=upload_id, now=now)
    )
    if image is None:
        return await _find_rival(images, upload_id, owner)
    await record(session, develop_job(image))
    await record(session, _registered(image))
    IMAGES_REGISTERED.labels(surface).inc()
    return image


async def choose_album(
    session: AsyncSession, *, owner: Owner, album_id: str | None, now: datetime
) -> Album:
    """Return the album named, or the owner's default one, made at the first upload."""
    albums = Albums(session)
    if album_id is not None:
        return await find_album(session, owner=owner, album_id=album_id)
    default = await albums.find_default(owner=owner)
    if default is not None:
        return default
    await albums.add_default(_default_album(owner, now))
    made = await albums.find_default(owner=owner)
    if made is None:
        raise AlbumMissing
    return made


async def find_album(session: AsyncSession, *, owner: Owner, album_id: str) -> Album:
    try:
        key = decode_id(album_id, Prefix.ALBUM)
    except InvalidId:
        raise AlbumMissing from None
    return await Albums(session).get(key, owner=owner)


async def _find_rival(images: Images, upload_id: UUID, owner: Owner) -> Image:
    # A call at the same moment was first; its commit is what this one has waited for.
    rival = await images.find_by_upload(upload_id, owner=owner)
    if rival is None:
        raise UploadTaken(upload_id=upload_id)
    return rival


def _default_album(owner: Owner, now: datetime) -> Album:
    return Album(
        id=new_id(),
        owner=owner,
        title=DEFAULT_ALBUM_TITLE,
        description=None,
        visibility=Visibility.PRIVATE,
        tags=(),
        is_default=True,
        created_at=now,
    )


def _queued(
    request: RegisterImage, *, album: Album, surface: Surface, upload_id: UUID, now: datetime
) -> Image:
    return Image(
        id=request.image_id,
        owner=album.owner,
        surface=surface,
        upload_id=upload_id,
        album_id=album.id,
        # The album gives the number when the image is added to it.
        album_seq=-1,
        status=ImageStatus.QUEUED,
        job_id=new_id(),
        attempt=1,
        preset=request.preset,
        enqueued_at=now,
        deadline_at=now + patience(1),
        version=1,
        url_version=1,
        visibility=request.visibility,
        title=clean_text(request.title, longest=LONGEST_TITLE),
        tags=_clean_tags(request.tags),
        original=_original(request),
        created_at=now,
    )


def _original(request: RegisterImage) -> Original:
    return Original(
        key=request.original_key,
        sha256=request.sha256,
        size_bytes=request.size_bytes,
        format=request.format,
        filename=clean_text(request.original_filename, longest=LONGEST_FILENAME),
        width=request.width,
        height=request.height,
        frames=request.frames,
    )


def _clean_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    cleaned = (clean_text(tag, longest=LONGEST_TAG) for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag is not None))[:MOST_TAGS]


def _registered(image: Image) -> ImageRegisteredV1:
    return ImageRegisteredV1(
        image_id=image.id,
        account_id=image.owner.account_id,
        upload_id=image.upload_id,
        surface=image.surface,
        stage=image.owner.stage,
        size_bytes=image.original.size_bytes,
    )
