"""Ways out whose pauses pass at once and are remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from governance.call import ManualClock
from governance.egress import Egress, EgressSettings, VendorClient, VendorSettings
from governance.store import Store

IMPATIENT = VendorSettings(connect_timeout_s=0.5, read_timeout_s=0.2, total_timeout_s=0.5, max_answer_bytes=100_000)


class Pauses(list[float]):
    """Every pause before a repeat, in seconds."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def egress(clock: ManualClock, pauses: Pauses, anyio_backend: str) -> AsyncIterator[Egress]:
    """Without a store, and with retries for every call."""
    made = Egress(EgressSettings(retry_percent=50, retry_reserve=100), clock=clock, pause=pauses)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def shared(store: Store, clock: ManualClock, pauses: Pauses) -> AsyncIterator[Egress]:
    """With the store, whose cache and places all processes share."""
    made = Egress(clock=clock, store=store, pause=pauses)
    await made.start()
    yield made
    await made.stop()


async def opened(egress: Egress, settings: VendorSettings = IMPATIENT, name: str = "erp") -> VendorClient:
    """The way out to a system of an egress that runs already."""
    vendor = egress.vendor(name, settings)
    await vendor.start()
    return vendor
