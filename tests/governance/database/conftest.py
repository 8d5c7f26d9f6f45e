"""A package that keeps one table of notes, and its migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.database import Migrations

REVISION = '''
"""Notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("notes", sa.Column("number", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
'''


@pytest.fixture
def notes(tmp_path: Path) -> Migrations:
    folder = tmp_path / "100 % revisions"
    folder.mkdir()
    (folder / "0001_notes.py").write_text(REVISION)
    return Migrations(folder=folder, version_table="notes_version")
