"""A running world of returns for each module of tests; each test sells an order of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.call import Clock
from process_apis.returns.settings import ReturnSettings
from tests.process_apis.returns.returns_world import SERVICES, Ahead
from tests.process_apis.world import World, running

RULES = ReturnSettings(window_s=60 * 86_400, approval_above_minor=100_000, receive_within_s=30 * 86_400)


@pytest.fixture(scope="module")
def clock() -> Ahead:
    return Ahead()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clock: Ahead) -> Iterator[World]:
    extra = {Clock: clock, ReturnSettings: RULES}
    with running(tmp_path_factory.mktemp("returns"), "verify", SERVICES, extra=extra) as world:
        yield world
