"""What every test may ask for: the asyncio backend, one store a test worker, an empty store client a test."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.embedded.valkey import EmbeddedValkey
from governance.store import Store


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def valkey_socket() -> Iterator[str]:
    """The socket of an embedded store that lives as long as this test worker."""
    with tempfile.TemporaryDirectory(prefix="tiergate-test-") as folder, asyncio.Runner() as runner:
        valkey = EmbeddedValkey(Path(folder))
        yield str(runner.run(valkey.start()))
        runner.run(valkey.stop())


@pytest.fixture
async def store(valkey_socket: str, anyio_backend: str) -> AsyncIterator[Store]:
    """A client of that store, emptied; for ``@pytest.mark.anyio`` tests."""
    client = Store(valkey_socket)
    await client.start()
    await client.command(b"FLUSHDB")
    yield client
    await client.close()
