"""The catalog's tables."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from darkroom.contracts.images import ImageFormat, ImageStatus, RenditionName, Visibility
from darkroom.contracts.recipes import Preset
from darkroom.contracts.surfaces import Stage, Surface
from darkroom.platform.db.tables import instant, metadata
from darkroom.platform.messaging.inbox import inbox_table
from darkroom.platform.messaging.outbox import outbox_table

METADATA: Final = metadata()

# What may still move; the sweep looks at nothing else.
UNFINISHED: Final = (ImageStatus.QUEUED, ImageStatus.PROCESSING)


def _word(words: type[StrEnum]) -> Enum:
    """Keep an enumeration as text: a value more needs no migration."""
    return Enum(
        words,
        native_enum=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


albums: Final = Table(
    "albums",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("stage", _word(Stage), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("visibility", _word(Visibility), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("is_default", Boolean, nullable=False),
    # The number the album's next image gets; its row lock puts registrations in order.
    Column("next_seq", BigInteger, nullable=False, server_default="0"),
    instant("created_at"),
)
Index(
    "uq_albums_default",
    albums.c.account_id,
    albums.c.stage,
    unique=True,
    postgresql_where=albums.c.is_default,
)

images: Final = Table(
    "images",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("stage", _word(Stage), nullable=False),
    Column("surface", _word(Surface), nullable=False),
    Column("upload_id", Uuid, nullable=False),
    Column("album_id", Uuid, ForeignKey(albums.c.id), nullable=False),
    Column("album_seq", BigInteger, nullable=False),
    Column("status", _word(ImageStatus), nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("preset", _word(Preset), nullable=False),
    instant("enqueued_at"),
    instant("deadline_at"),
    Column("version", Integer, nullable=False),
    Column("url_version", Integer, nullable=False),
    Column("visibility", _word(Visibility), nullable=False),
    Column("title", Text),
    Column("tags", ARRAY(Text), nullable=False),
    Column("original_key", Text, nullable=False),
    Column("original_sha256", Text, nullable=False),
    Column("original_size_bytes", BigInteger, nullable=False),
    Column("original_format", _word(ImageFormat), nullable=False),
    Column("original_filename", Text),
    Column("original_width", Integer, nullable=False),
    Column("original_height", Integer, nullable=False),
    Column("original_frames", Integer, nullable=False),
    Column("findings", JSONB(none_as_null=True)),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("processing_duration_ms", Integer),
    instant("created_at"),
    instant("processed_at", nullable=True),
    # A repeated registration finds the image it made the first time.
    UniqueConstraint("account_id", "upload_id"),
    # A page without a status reads this one, backwards.
    UniqueConstraint("album_id", "album_seq"),
)
# A page of one status reads this one.
Index(None, images.c.album_id, images.c.status, images.c.album_seq)
Index(
    "ix_images_overdue",
    images.c.deadline_at,
    postgresql_where=images.c.status.in_([status.value for status in UNFINISHED]),
)
# The sweep asks which objects of a listing belong to an image.
Index(None, images.c.original_key)

renditions: Final = Table(
    "renditions",
    METADATA,
    Column("image_id", Uuid, ForeignKey(images.c.id), primary_key=True),
    Column("name", _word(RenditionName), primary_key=True),
    Column("recipe_digest", Text, nullable=False),
    Column("key", Text, nullable=False, index=True),
    Column("format", _word(ImageFormat), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
)

# How many images of an album have a status, for each bucket of their numbers. Changed in the
# transaction that changes the image, so a sum over it is exact.
album_counts: Final = Table(
    "album_counts",
    METADATA,
    Column("album_id", Uuid, ForeignKey(albums.c.id), primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("status", _word(ImageStatus), primary_key=True),
    Column("images", Integer, nullable=False),
)

# One row, kept by whichever sweep looks: what a restarted one must know of the looks before it.
sweep_state: Final = Table(
    "sweep_state",
    METADATA,
    Column(
        "is_only_row", Boolean, CheckConstraint("is_only_row", name="is_only_row"), primary_key=True
    ),
    instant("outbox_looked_at"),
    instant("outbox_late_until"),
)

outbox: Final = outbox_table(METADATA)
inbox: Final = inbox_table(METADATA)
