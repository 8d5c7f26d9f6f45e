"""Connections whose caller goes away while they come about."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from governance.call import Answer
from governance.egress.connection import Terms
from governance.egress.failures import NotConnected
from governance.egress.pool import Pool
from tests.governance.egress.vendor import Vendor, answering

pytestmark = pytest.mark.anyio
TURNS = 40
"""More turns of the loop than a connection takes to come about."""


async def a_call(pool: Pool) -> Answer:
    return await pool.exchange(pool.request("GET", "/", {}, None), 5.0, 5.0, Terms(most_bytes=1_000))


async def test_whenever_a_caller_goes_away_no_connection_is_left() -> None:
    async with Vendor(answering()) as vendor:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for turns in range(TURNS):
                pool = Pool(vendor.url, 1)
                calling = asyncio.create_task(a_call(pool))
                for _ in range(turns):
                    await asyncio.sleep(0)
                calling.cancel()
                await asyncio.gather(calling, return_exceptions=True)
                pool.close()
            while vendor.live:
                await asyncio.sleep(0.001)
            gc.collect()
        assert [str(one.message) for one in said] == []


async def test_one_that_comes_too_late_is_closed() -> None:
    async with Vendor(answering()) as vendor:
        pool = Pool(vendor.url, 1)
        with pytest.raises(NotConnected):
            await pool.exchange(pool.request("GET", "/", {}, None), 5.0, 0.0, Terms(most_bytes=1_000))
        while vendor.connections == 0 or vendor.live:
            await asyncio.sleep(0.001)
        pool.close()
