from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.catalog.domain.image import Image, Original
from darkroom.catalog.domain.overdue import patience
from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageFormat, ImageStatus, RenditionName, Visibility
from darkroom.contracts.jobs import Findings, JobCompletedV1, MadeRendition
from darkroom.contracts.recipes import Preset, develop_recipes
from darkroom.contracts.surfaces import Stage, Surface

NOON = datetime(2024, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def owner() -> Owner:
    return Owner(new_id(), Stage.LIVE)


@pytest.fixture
def make_image(owner: Owner) -> Callable[..., Image]:
    def make(**changes: Any) -> Image:
        image_id = new_id()
        image = Image(
            id=image_id,
            owner=owner,
            surface=Surface.PARTR,
            upload_id=new_id(),
            album_id=new_id(),
            album_seq=0,
            status=ImageStatus.QUEUED,
            job_id=new_id(),
            attempt=1,
            preset=Preset.OPTIMIZE,
            enqueued_at=NOON,
            deadline_at=NOON + patience(1),
            version=1,
            url_version=1,
            visibility=Visibility.UNLISTED,
            title=None,
            tags=(),
            original=Original(
                key=f"originals/2024/01/{image_id}",
                sha256="a" * 64,
                size_bytes=1_000,
                format=ImageFormat.JPEG,
                filename="photo.jpg",
                width=400,
                height=300,
                frames=1,
            ),
            created_at=NOON,
        )
        return replace(image, **changes)

    return make


@pytest.fixture
def findings() -> Findings:
    return Findings(
        width=300,
        height=400,
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        thumbhash="1QcSHQRnh493V4dIh4eXh1h4kJUI",
        palette=("#aabbcc", "#112233"),
        phash="f" * 64,
        phash_quality=100,
    )


@pytest.fixture
def completed(findings: Findings) -> Callable[..., JobCompletedV1]:
    def make(image: Image, **changes: Any) -> JobCompletedV1:
        event = JobCompletedV1(
            job_id=image.job_id,
            image_id=image.id,
            attempt=image.attempt,
            duration_ms=120,
            findings=findings,
            renditions=tuple(
                MadeRendition(
                    name=name,
                    recipe_digest=recipe.digest(),
                    key=f"renditions/{image.id}/{recipe.digest()}.webp",
                    format=ImageFormat.JPEG
                    if name is RenditionName.PROCESSED
                    else ImageFormat.WEBP,
                    width=300,
                    height=400,
                    size_bytes=500,
                    sha256=("b" if name is RenditionName.PROCESSED else "c") * 64,
                )
                for name, recipe in develop_recipes(image.preset).items()
            ),
        )
        return event.model_copy(update=changes)

    return make
