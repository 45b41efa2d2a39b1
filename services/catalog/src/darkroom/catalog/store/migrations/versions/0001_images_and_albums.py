"""Images, renditions, albums, counts, outbox and inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.String(16)
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_albums()
    create_images()
    create_renditions()
    create_album_counts()
    create_outbox()
    create_inbox()


def downgrade() -> None:
    for table in ("inbox", "outbox", "album_counts", "renditions", "images", "albums"):
        op.drop_table(table)


def create_albums() -> None:
    op.create_table(
        "albums",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("visibility", WORD, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("next_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_albums"),
    )
    op.create_index(
        "uq_albums_default",
        "albums",
        ["account_id", "stage"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )


def create_images() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("surface", WORD, nullable=False),
        sa.Column("upload_id", sa.Uuid, nullable=False),
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("album_seq", sa.BigInteger, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("preset", WORD, nullable=False),
        sa.Column("enqueued_at", INSTANT, nullable=False),
        sa.Column("deadline_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("url_version", sa.Integer, nullable=False),
        sa.Column("visibility", WORD, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        *original_columns(),
        sa.Column("findings", JSONB),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("processing_duration_ms", sa.Integer),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("processed_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("account_id", "upload_id", name="uq_images_account_id_upload_id"),
        sa.UniqueConstraint("album_id", "album_seq", name="uq_images_album_id_album_seq"),
        sa.ForeignKeyConstraint(["album_id"], ["albums.id"], name="fk_images_album_id_albums"),
    )
    op.create_index(
        "ix_images_album_id_status_album_seq", "images", ["album_id", "status", "album_seq"]
    )
    op.create_index("ix_images_original_key", "images", ["original_key"])
    op.create_index(
        "ix_images_overdue",
        "images",
        ["deadline_at"],
        postgresql_where=sa.text("status IN ('queued', 'processing')"),
    )


def original_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("original_key", sa.Text, nullable=False),
        sa.Column("original_sha256", sa.Text, nullable=False),
        sa.Column("original_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("original_format", WORD, nullable=False),
        sa.Column("original_filename", sa.Text),
        sa.Column("original_width", sa.Integer, nullable=False),
        sa.Column("original_height", sa.Integer, nullable=False),
        sa.Column("original_frames", sa.Integer, nullable=False),
    ]


def create_renditions() -> None:
    op.create_table(
        "renditions",
        sa.Column("image_id", sa.Uuid, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("recipe_digest", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("format", WORD, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("image_id", "name", name="pk_renditions"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_renditions_image_id_images"),
    )
    op.create_index("ix_renditions_key", "renditions", ["key"])


def create_album_counts() -> None:
    op.create_table(
        "album_counts",
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("bucket", sa.BigInteger, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("album_id", "bucket", "status", name="pk_album_counts"),
        sa.ForeignKeyConstraint(
            ["album_id"], ["albums.id"], name="fk_album_counts_album_id_albums"
        ),
        # Every change of an image rewrites a row here; room on the page keeps that in place.
        postgresql_with={"fillfactor": "50"},
    )


def create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("refused", sa.Text),
        sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
    )


def create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_seen_at", "inbox", ["seen_at"])
