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

key_makers = sa.Table(
    "key_makers",
    metadata,
    sa.Column("client_id", sa.String(200), primary_key=True),
    sa.Column("account", sa.String(40), primary_key=True),
    sa.Column("operation_id", sa.String(120), primary_key=True),
)
"""Who starts flows for whom by what: from these, and what a client sent, follows the key that a flow was started under."""
