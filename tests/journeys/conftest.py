"""One gateway for each placement and test worker, and the clients that call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.clients import Client
from tests.journeys.gateways import PLACEMENTS, Gateway, running

CONFIGURATION = (Path(__file__).parent / "tiergate.toml").read_text()


@pytest.fixture(scope="session", params=PLACEMENTS)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with embedded parts, in each placement after the other."""
    with running(tmp_path_factory.mktemp(request.param), request.param, CONFIGURATION) as it:
        yield it


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Callable[[str], Client]:
    """A client by its id, with its token."""
    known: dict[str, Client] = {}

    def get(client_id: str) -> Client:
        if client_id not in known:
            known[client_id] = Client(gateway, client_id)
        return known[client_id]

    return get
