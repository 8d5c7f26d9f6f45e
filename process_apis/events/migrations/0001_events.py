"""The event log, and the sequence of each subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    position = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "events",
        sa.Column("position", position, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.String(40)),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("source_id", sa.String(160)),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_id", "events", ["event_id"], unique=True)
    op.create_index("events_subject", "events", ["subject", "sequence"], unique=True)
    op.create_index("events_source", "events", ["source", "source_id"], unique=True)
    op.create_index("events_account", "events", ["account_id", "position"])
    op.create_index("events_at", "events", ["at_us"])
    op.create_table(
        "event_subjects",
        sa.Column("subject", sa.String(120), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("event_subjects", "events"):
        op.drop_table(table)
