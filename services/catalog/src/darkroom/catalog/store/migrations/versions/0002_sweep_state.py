"""What sweeps remember between two looks at the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sweep_state",
        sa.Column("is_only_row", sa.Boolean, nullable=False),
        sa.Column("outbox_looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outbox_late_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("is_only_row", name="pk_sweep_state"),
        sa.CheckConstraint("is_only_row", name="ck_sweep_state_is_only_row"),
    )


def downgrade() -> None:
    op.drop_table("sweep_state")
