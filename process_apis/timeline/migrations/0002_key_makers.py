"""Who makes keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; flows are looked through again, so that it is filled."""
    op.create_table(
        "key_makers",
        sa.Column("client_id", sa.String(200), primary_key=True),
        sa.Column("account", sa.String(40), primary_key=True),
        sa.Column("operation_id", sa.String(120), primary_key=True),
    )
    op.execute("DELETE FROM indexed_flows")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("key_makers")
