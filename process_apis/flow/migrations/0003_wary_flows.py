"""Flows that know that a process died under them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let a flow remember that more may have been begun than is recorded."""
    op.add_column("flows", sa.Column("wary", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("flows", "wary")
