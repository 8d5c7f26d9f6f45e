"""A post office of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.process_apis.subscriptions.post import Post, opened


@pytest.fixture
async def post(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Post]:
    async with opened(tmp_path) as post:
        yield post
