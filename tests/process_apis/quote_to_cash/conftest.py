"""A running world of quotes for each module of tests; each test asks for quotes of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process_apis.quote_to_cash.quote_world import SERVICES, Ahead, extra
from tests.process_apis.world import World, running


@pytest.fixture(scope="module")
def clock() -> Ahead:
    return Ahead()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clock: Ahead) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("quotes"), "verify", SERVICES, extra=extra(clock)) as world:
        yield world
