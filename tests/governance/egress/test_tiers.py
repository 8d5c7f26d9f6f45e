"""One retry budget for all tiers: a tier that hops to a tier that asks a vendor, and everything fails."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from governance.call import Call, Principal, enter, leave
from governance.call.allowance import RETRIES_HEADER, Allowance
from governance.contract.refusals import SystemUnavailable
from governance.egress import Egress
from governance.egress.breaker import BreakerSettings
from tests.governance.egress.conftest import IMPATIENT, Pauses
from tests.governance.egress.vendor import Asked, Behaviour, Vendor, answering, hanging_up, raw_answer

pytestmark = pytest.mark.anyio
PATIENT = msgspec.structs.replace(IMPATIENT, breaker=BreakerSettings(least=1_000_000))
"""A breaker would spare the vendor most of it."""


@pytest.mark.parametrize("trouble", [hanging_up, answering(503)])
async def test_a_thousand_calls_over_two_tiers_are_eleven_hundred_attempts_at_most(
    trouble: Behaviour, pauses: Pauses
) -> None:
    upper, lower = Egress(), Egress(pause=pauses)
    async with Vendor(trouble) as vendor:
        client = lower.vendor("erp", PATIENT)

        async def tier(asked: Asked, writer: asyncio.StreamWriter) -> None:
            """Asks the vendor under the call that came in, and answers as a process of the gateway does."""
            told: list[tuple[bytes, bytes]] = []
            call = Call(principal=Principal(subject="s", client_id="c"), operation_id="o")
            call.allowance = Allowance(int(asked.headers[RETRIES_HEADER.lower()]), told)
            token = enter(call)
            with pytest.raises(SystemUnavailable):
                await client.request("GET", f"{vendor.url}/")
            leave(token)
            headers = {name.decode(): value.decode() for name, value in told}
            writer.write(raw_answer(503, b"{}", {**headers, "content-type": "application/problem+json"}))

        async def caller(url: str) -> None:
            for _ in range(50):
                assert (await upper.hops.send("GET", f"{url}/", {}, None, 5.0)).status == 503

        await upper.start()
        await lower.start()
        async with Vendor(tier) as process:
            await asyncio.gather(*(caller(process.url) for _ in range(20)))
            assert len(process.asked) == 1_000, "what is a problem already is not asked again"
        assert 1_050 < len(vendor.asked) <= 1_100
        await upper.stop()
        await lower.stop()
