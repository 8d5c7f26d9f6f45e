"""The inbox of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    position = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "inbox",
        sa.Column("position", position, primary_key=True, autoincrement=True),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("event_id", sa.String(160), nullable=False),
        sa.Column("sent_us", sa.BigInteger, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_event", "inbox", ["system", "event_id"], unique=True)
    op.create_index("inbox_system", "inbox", ["system", "position"])


def downgrade() -> None:
    """Drop it with everything in it."""
    op.drop_table("inbox")
