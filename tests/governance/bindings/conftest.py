"""The sample world behind a real server, once a test worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.governance.bindings.real_server import RealServer, serving


@pytest.fixture(scope="session")
def real_server() -> Iterator[RealServer]:
    """The sample APIs on a loopback port, in a thread of their own."""
    with serving() as server:
        yield server
