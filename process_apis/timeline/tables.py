"""Tables by which flows are found: every id that a flow's record names, and how far each flow was looked through."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

business_ids = sa.Table(
    "business_ids",
    metadata,
    sa.Column("value", sa.String(255), primary_key=True),
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("flow_id", sa.String(80), primary_key=True),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Index("business_ids_flow", "flow_id"),
)

indexed_flows = sa.Table(
    "indexed_flows",
    metadata,
    sa.Column("flow_id", sa.String(80), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
)
