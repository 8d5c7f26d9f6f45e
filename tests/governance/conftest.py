"""A store of one test's own, which the test may stop, kill and reconfigure."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.embedded.valkey import EmbeddedValkey


class FragileStore:
    """An embedded store and the ways to hurt it."""

    def __init__(self, valkey: EmbeddedValkey) -> None:
        self._valkey = valkey
        self.socket = str(valkey.socket)

    def _signal(self, number: signal.Signals) -> None:
        assert self._valkey.pid is not None
        os.kill(self._valkey.pid, number)

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone; its keeper starts another one soon."""
        self._signal(signal.SIGKILL)


@pytest.fixture
async def fragile_store(anyio_backend: str) -> AsyncIterator[FragileStore]:
    with tempfile.TemporaryDirectory(prefix="tiergate-test-") as folder:
        valkey = EmbeddedValkey(Path(folder))
        await valkey.start()
        fragile = FragileStore(valkey)
        yield fragile
        if valkey.pid is not None:
            fragile.thaw()
        await valkey.stop()
