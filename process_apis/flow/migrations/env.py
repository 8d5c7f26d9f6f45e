"""Runs the migrations on the connection that ``process_apis.flow.migration`` hands over."""

from __future__ import annotations

from alembic import context

from process_apis.flow.migration import VERSION_TABLE
from process_apis.flow.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
