"""What every test may ask for: the asyncio backend, one store a test worker, an empty store client a test."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gateway.embedded.valkey import EmbeddedValkey
from governance.store import Store

settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # the same cases in every run, however busy the machine is


@pytest.fixture(autouse=True)
def unexpected(request: pytest.FixtureRequest) -> Iterator[list[logging.LogRecord]]:
    """What was logged on ``tiergate.unexpected``: it fails the test, unless marked ``expects_unexpected``."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign] - a handler that only collects
    logger = logging.getLogger("tiergate.unexpected")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    if request.node.get_closest_marker("expects_unexpected") is None:
        assert not records, [record.getMessage() for record in records]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that a worker has."""
    return "asyncio", {"use_uvloop": True}


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
