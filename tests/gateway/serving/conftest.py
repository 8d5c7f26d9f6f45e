"""Gateways as real processes, ended with their test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.gateway.serving.gateway_process import Gateway


class Start(Protocol):
    def __call__(self, home: Path, *options: str, app: str = "probe_app:Probe", port: int = 0) -> Gateway: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts gateways; ends those that the test left running."""
    started: list[Gateway] = []

    def run(home: Path, *options: str, app: str = "probe_app:Probe", port: int = 0) -> Gateway:
        started.append(Gateway(home, *options, app=app, port=port))
        return started[-1]

    yield run
    for gateway in started:
        if gateway.process.poll() is None:
            gateway.process.kill()
        gateway.process.communicate()
