"""The policy around a handler: who is limited, what is answered, and what holds while the store is away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import Struct

from governance.call import Exchange, ManualClock, Stage, SystemClock
from governance.contract.operation import Tier
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit import Enforcement, Quota, RateLimit, Settings, local
from governance.policies.rate_limit.bucket import Bucket
from governance.policies.rate_limit.terms import Terms
from governance.store import Store
from tests.lived import lived

pytestmark = pytest.mark.anyio

BOUND_S = 0.25
ITEM = r'"[a-z0-9._]+"'
POLICY = re.compile(rf"{ITEM};q=[1-9]\d*;w=[1-9]\d*(, {ITEM};q=[1-9]\d*;w=[1-9]\d*)*")
STATE = re.compile(rf"{ITEM};r=\d+;t=\d+(, {ITEM};r=\d+;t=\d+)*")

HeadersOf = Callable[[Exchange], dict[str, str]]


async def reached(exchange: Exchange) -> str:
    return "reached"


def edge(store: Store, samples: Any, name: str = "get_thing", limit: str = "3/1h", **settings: Any) -> Any:
    enforcement = Enforcement(Settings(experience=limit, **settings), store, SystemClock())
    wrap = enforcement.enforce(samples.operation(name), "served")
    assert wrap is not None
    return wrap(reached)


async def test_a_burst_is_admitted_and_one_more_refused(store: Store, samples: Any, headers_of: HeadersOf) -> None:
    handler = edge(store, samples)
    for remaining in (2, 1, 0):
        exchange = samples.served("get_thing")
        assert await handler(exchange) == "reached"
        assert headers_of(exchange) == {
            "ratelimit-policy": '"experience";q=3;w=3600',
            "ratelimit": f'"experience";r={remaining};t=1200',
        }
    refused = samples.served("get_thing")
    with pytest.raises(RateLimited, match="in 1200 s"):
        await handler(refused)
    assert headers_of(refused)["retry-after"] == "1200"
    assert headers_of(refused)["ratelimit"] == '"experience";r=0;t=1200'


async def test_clients_do_not_share(store: Store, samples: Any) -> None:
    handler = edge(store, samples, limit="1/1h")
    assert await handler(samples.served("get_thing", client="a")) == "reached"
    assert await handler(samples.served("get_thing", client="a:experience")) == "reached"
    with pytest.raises(RateLimited):
        await handler(samples.served("get_thing", client="a"))


async def test_operations_of_a_tier_share(store: Store, samples: Any) -> None:
    reads, writes = edge(store, samples, limit="1/1h"), edge(store, samples, "post_thing", limit="1/1h")
    await reads(samples.served("get_thing"))
    with pytest.raises(RateLimited):
        await writes(samples.served("post_thing"))


async def test_inner_calls_are_free(store: Store, samples: Any) -> None:
    handler = edge(store, samples, limit="1/1h")
    for _ in range(3):
        exchange = samples.served("get_thing", acting_api="orders.v1")
        assert await handler(exchange) == "reached"
        assert exchange.response_headers == []
    enforcement = Enforcement(Settings(), store, SystemClock())
    assert enforcement.enforce(samples.operation("get_thing"), "local") is None


async def test_a_declared_limit_holds_inner_calls_too(store: Store, samples: Any) -> None:
    enforcement = Enforcement(Settings(), store, SystemClock())
    wrap = enforcement.enforce(samples.operation("get_costly_thing"), "local")
    assert wrap is not None
    local, served = wrap(reached), edge(store, samples, "get_costly_thing")
    await local(samples.local("get_costly_thing"))
    await served(samples.served("get_costly_thing", acting_api="orders.v1"))
    for handler, exchange in ((local, samples.local("get_costly_thing")), (served, samples.served("get_costly_thing"))):
        with pytest.raises(RateLimited):
            await handler(exchange)


async def test_both_limits_are_announced_and_neither_charged_alone(
    store: Store, samples: Any, headers_of: HeadersOf
) -> None:
    handler = edge(store, samples, "get_costly_thing", limit="5/1h")
    for _ in range(2):
        await handler(samples.served("get_costly_thing"))
    refused = samples.served("get_costly_thing")
    with pytest.raises(RateLimited):
        await handler(refused)
    headers = headers_of(refused)
    assert headers["ratelimit-policy"] == '"experience";q=5;w=3600, "samples.v1.get_costly_thing";q=2;w=3600'
    assert headers["ratelimit"].startswith('"experience";r=3;')
    assert int(headers["retry-after"]) == 1800


class Agreed(Struct, frozen=True, kw_only=True):
    """A plan."""

    name: str = "gold"
    rates: Mapping[Tier, RateLimit] = {}
    operations: Mapping[str, RateLimit] = {}
    quotas: tuple[Quota, ...] = ()


GOLD = Agreed(rates={"experience": RateLimit.parse("4/1h")})


class Gold:
    """A plan book in which one client may call more."""

    def plan_of(self, client_id: str) -> Agreed | None:
        return GOLD if client_id == "gold" else None


async def test_a_plan_comes_before_the_default(store: Store, samples: Any, headers_of: HeadersOf) -> None:
    enforcement = Enforcement(Settings(experience="1/1h"), store, SystemClock(), Gold())
    wrap = enforcement.enforce(samples.operation("get_thing"), "served")
    assert wrap is not None
    handler = wrap(reached)
    announced = []
    for client in ("gold", "other"):
        exchange = samples.served("get_thing", client=client)
        await handler(exchange)
        announced.append(headers_of(exchange)["ratelimit-policy"])
    assert announced == ['"experience";q=4;w=3600', '"experience";q=1;w=3600']


@pytest.mark.parametrize("limit", ["600/60s burst 100", "1/1ms", "1/365d", "999999/1s burst 1", "7/13s burst 3"])
async def test_headers_are_those_of_the_draft(store: Store, samples: Any, headers_of: HeadersOf, limit: str) -> None:
    exchange = samples.served("get_costly_thing")
    await edge(store, samples, "get_costly_thing", limit=limit)(exchange)
    assert POLICY.fullmatch(headers_of(exchange)["ratelimit-policy"])
    assert STATE.fullmatch(headers_of(exchange)["ratelimit"])


async def _without_store(
    fragile_store: Any, samples: Any, mode: str, calls: int
) -> tuple[list[Any], list[Exchange], float]:
    store = Store(fragile_store.socket)
    await store.start()
    handler = edge(store, samples, limit="40/1h", on_store_failure=mode, local_share=0.1)
    await handler(samples.served("get_thing"))
    fragile_store.freeze()
    exchanges = [samples.served("get_thing") for _ in range(calls)]
    slowest, outcomes = 0.0, []
    for at in (0, calls // 2):
        async with lived() as lived_s:
            outcomes += await asyncio.gather(*map(handler, exchanges[at : at + calls // 2]), return_exceptions=True)
            slowest = max(slowest, lived_s())
    fragile_store.thaw()
    async with asyncio.timeout(30):
        while not store.connected:
            await asyncio.sleep(0.01)
    after = samples.served("get_thing")
    await handler(after)
    assert "rate_limit" not in after.evidence
    await store.close()
    return outcomes, exchanges, slowest


async def test_open_admits_while_the_store_hangs(fragile_store: Any, samples: Any) -> None:
    outcomes, exchanges, slowest = await _without_store(fragile_store, samples, "open", 20)
    assert outcomes == ["reached"] * 20
    assert {exchange.evidence["rate_limit"] for exchange in exchanges} == {"open"}
    assert slowest < BOUND_S


async def test_closed_refuses_while_the_store_hangs(fragile_store: Any, samples: Any, headers_of: HeadersOf) -> None:
    outcomes, exchanges, slowest = await _without_store(fragile_store, samples, "closed", 20)
    assert all(isinstance(outcome, SystemUnavailable) for outcome in outcomes)
    assert headers_of(exchanges[0]) == {"retry-after": "1"}
    assert slowest < BOUND_S


async def test_local_admits_its_share_while_the_store_hangs(
    fragile_store: Any, samples: Any, headers_of: HeadersOf
) -> None:
    outcomes, exchanges, slowest = await _without_store(fragile_store, samples, "local", 20)
    assert outcomes.count("reached") == 4
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 16
    assert headers_of(exchanges[0])["ratelimit-policy"] == '"experience";q=4;w=3600'
    assert slowest < BOUND_S


async def test_memory_of_the_local_limit_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CLIENTS", 3)
    clock = ManualClock()
    buckets, bucket = local.LocalBuckets(clock), Terms(1, [Bucket.of("b", RateLimit(2, 1_000_000))])
    assert [buckets.take((b"%d" % n,), bucket)[0] for n in range(5)] == [1, 1, 1, 0, 0]
    assert buckets.take((b"1",), bucket)[0] == 1
    clock.advance(3)
    assert buckets.take((b"9",), bucket)[0] == 1


def test_document_probe_and_findings(samples: Any) -> None:
    enforcement = Enforcement(Settings(on_store_failure="closed"), Store("/unused"), SystemClock())
    documented = enforcement.document(samples.operation("get_costly_thing"))
    assert documented.problems == (RateLimited, SystemUnavailable)
    assert set(documented.every_header) == {"RateLimit", "RateLimit-Policy"}
    assert {status: list(headers) for status, headers in documented.problem_headers.items()} == {
        429: ["Retry-After"],
        503: ["Retry-After"],
    }
    assert documented.extensions["x-rate-limit"]["operation"] == {"burst": 2, "interval_us": 1_800_000_000}
    spent, *announced = enforcement.prove(samples.operation("get_thing"))
    assert (spent.control, spent.expect_status, spent.expect_type) == ("RL-001", 429, "rate-limited")
    assert spent.until_spent
    assert [(probe.control, probe.expect_status) for probe in announced] == [("RL-002", 0), ("RL-002", 403)]
    assert list(enforcement.audit(samples.operation("get_costly_thing"))) == []
    narrow = Enforcement(Settings(experience="1/365d"), Store("/unused"), SystemClock())
    assert [finding.id for finding in narrow.audit(samples.operation("get_costly_thing"))] == ["RL-011"]
    assert Enforcement.stage is Stage.LIMIT
