"""Images as rows, and rows as images: the one place that knows both shapes."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Row, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from darkroom.catalog.domain.image import Failure, Image, Original
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.store.tables import images, renditions
from darkroom.contracts.jobs import Findings, MadeRendition
from darkroom.contracts.problems import ProblemCode


def _named_columns() -> list[ColumnElement[Any]]:
    pairs: list[ColumnElement[Any]] = []
    for column in renditions.c:
        if column.name != "image_id":
            # Names as literals: the server cannot tell the type of a bare parameter here.
            pairs += [literal_column(f"'{column.name}'"), column]
    return pairs


def whole(source: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns of an image with its renditions, all in one round trip.

    `source` is the table of images, or a query that gives its columns.
    """
    made = (
        select(func.jsonb_agg(func.jsonb_build_object(*_named_columns()), type_=JSONB))
        .where(renditions.c.image_id == source.c.id)
        .scalar_subquery()
        .label("renditions")
    )
    return [*source.c, made]


# Composed once; queries narrow it.
WHOLE_IMAGES: Final = select(*whole(images))


def image_of(row: Row[Any]) -> Image:
    return Image(
        id=row.id,
        owner=Owner(row.account_id, row.stage),
        surface=row.surface,
        upload_id=row.upload_id,
        album_id=row.album_id,
        album_seq=row.album_seq,
        status=row.status,
        job_id=row.job_id,
        attempt=row.attempt,
        preset=row.preset,
        enqueued_at=row.enqueued_at,
        deadline_at=row.deadline_at,
        version=row.version,
        url_version=row.url_version,
        visibility=row.visibility,
        title=row.title,
        tags=tuple(row.tags),
        original=_original(row),
        renditions=tuple(MadeRendition.model_validate(made) for made in row.renditions or ()),
        findings=None if row.findings is None else Findings.model_validate(row.findings),
        failure=_failure(row),
        processing_duration_ms=row.processing_duration_ms,
        created_at=row.created_at,
        processed_at=row.processed_at,
    )


def _original(row: Row[Any]) -> Original:
    return Original(
        key=row.original_key,
        sha256=row.original_sha256,
        size_bytes=row.original_size_bytes,
        format=row.original_format,
        filename=row.original_filename,
        width=row.original_width,
        height=row.original_height,
        frames=row.original_frames,
    )


def _failure(row: Row[Any]) -> Failure | None:
    if row.error_code is None:
        return None
    return Failure(ProblemCode(row.error_code), row.error_message)


def columns_of(image: Image) -> dict[str, Any]:
    """Return every column but the album's number, which the album gives."""
    return identity_columns(image) | original_columns(image.original) | state_columns(image)


def identity_columns(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "account_id": image.owner.account_id,
        "stage": image.owner.stage,
        "surface": image.surface,
        "upload_id": image.upload_id,
        "album_id": image.album_id,
        "job_id": image.job_id,
        "preset": image.preset,
        "url_version": image.url_version,
        "visibility": image.visibility,
        "title": image.title,
        "tags": list(image.tags),
        "created_at": image.created_at,
    }


def original_columns(original: Original) -> dict[str, Any]:
    return {
        "original_key": original.key,
        "original_sha256": original.sha256,
        "original_size_bytes": original.size_bytes,
        "original_format": original.format,
        "original_filename": original.filename,
        "original_width": original.width,
        "original_height": original.height,
        "original_frames": original.frames,
    }


def state_columns(image: Image) -> dict[str, Any]:
    """Return what a job changes."""
    failure, findings = image.failure, image.findings
    return {
        "status": image.status,
        "attempt": image.attempt,
        "enqueued_at": image.enqueued_at,
        "deadline_at": image.deadline_at,
        "version": image.version,
        "findings": None if findings is None else findings.model_dump(mode="json"),
        "error_code": None if failure is None else failure.code,
        "error_message": None if failure is None else failure.message,
        "processing_duration_ms": image.processing_duration_ms,
        "processed_at": image.processed_at,
    }
