"""How far each system was read, by whom, and which order a sales order belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let systems of record be read from where the last reader stopped."""
    op.create_table(
        "event_sources",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "event_gatherer",
        sa.Column("lease", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "event_links",
        sa.Column("record_id", sa.String(80), primary_key=True),
        sa.Column("subject", sa.String(120), nullable=False),
    )


def downgrade() -> None:
    """Drop them; systems are read from the beginning of their logs then."""
    for table in ("event_links", "event_gatherer", "event_sources"):
        op.drop_table(table)
