"""Plans: rates of tiers and of operations, quotas, and what an operation costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from governance.call import Exchange, SystemClock
from governance.consumers import Consumer, Consumers
from governance.consumers.plans import Plan
from governance.contract import Operation
from governance.contract.refusals import RateLimited
from governance.policies.rate_limit import Enforcement, Quota, RateLimit, Settings
from governance.store import Store

pytestmark = pytest.mark.anyio

COSTLY = "samples.v1.get_costly_thing"
HeadersOf = Callable[[Exchange], dict[str, str]]


class Book:
    """One plan for everybody, which a test may change as a reload does."""

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan

    def plan_of(self, client_id: str) -> Plan | None:
        return self.plan


async def reached(exchange: Exchange) -> str:
    return "reached"


def handler(store: Store, operation: Operation, plans: Book, binding: Any = "served") -> Any:
    enforcement = Enforcement(Settings(experience="100/1h"), store, SystemClock(), plans)
    wrap = enforcement.enforce(operation, binding)
    assert wrap is not None
    return wrap(reached)


async def admitted(handler: Any, exchange: Callable[[], Exchange], most: int = 20) -> int:
    for count in range(most):
        try:
            await handler(exchange())
        except RateLimited:
            return count
    return most


async def test_a_plan_states_the_rate_of_an_operation(store: Store, samples: Any) -> None:
    plans = Book(Plan(name="p", operations={"samples.v1.get_thing": RateLimit.parse("3/1h")}))
    things = handler(store, samples.operation("get_thing"), plans)
    assert await admitted(things, lambda: samples.served("get_thing")) == 3
    writes = handler(store, samples.operation("post_thing"), plans)
    assert await admitted(writes, lambda: samples.served("post_thing")) == 20


@pytest.mark.parametrize("spelled", ["1/1h", "5/1h"])
async def test_a_plan_comes_before_what_an_operation_declares(store: Store, samples: Any, spelled: str) -> None:
    limit = RateLimit.parse(spelled)
    plans = Book(Plan(name="p", operations={COSTLY: limit}))
    operation = samples.operation("get_costly_thing")
    served, local = handler(store, operation, plans), handler(store, operation, plans, "local")
    assert await admitted(served, lambda: samples.served("get_costly_thing")) == limit.burst
    with pytest.raises(RateLimited):  # the same limit of the same client
        await local(samples.local("get_costly_thing"))


async def test_a_quota_is_announced_with_its_period_and_refuses_until_it_ends(
    store: Store, samples: Any, headers_of: HeadersOf
) -> None:
    quotas = (Quota(2, "day", "Asia/Kolkata"), Quota(9, "month", tier="experience"), Quota(1, "month", tier="system"))
    operation = handler(store, samples.operation("get_thing"), Book(Plan(name="p", quotas=quotas)))
    for remaining in (1, 0):
        exchange = samples.served("get_thing")
        await operation(exchange)
        states = headers_of(exchange)["ratelimit"].split(", ")
        assert states[1].startswith(f'"day";r={remaining};t=')
        assert states[2].startswith(f'"experience.month";r={remaining + 7};t=')
    policies = headers_of(exchange)["ratelimit-policy"].split(", ")
    assert policies[:2] == ['"experience";q=100;w=3600', '"day";q=2;w=86400']
    assert policies[2].removeprefix('"experience.month";q=9;w=') in {str(days * 86400) for days in (28, 29, 30, 31)}
    refused = samples.served("get_thing")
    with pytest.raises(RateLimited, match="The limit of day is spent"):
        await operation(refused)
    left_s = int(headers_of(refused)["ratelimit"].split(", ")[1].partition("t=")[2])
    assert headers_of(refused)["retry-after"] == str(left_s)
    assert 0 < left_s <= 86_400


async def test_a_quota_is_one_for_all_operations_and_not_spent_by_inner_calls(store: Store, samples: Any) -> None:
    plans = Book(Plan(name="p", quotas=(Quota(3, "day"),)))
    operation = samples.operation("get_costly_thing")
    local, costly = handler(store, operation, plans, "local"), handler(store, operation, plans)
    await local(samples.local("get_costly_thing"))
    await costly(samples.served("get_costly_thing"))
    things = handler(store, samples.operation("get_thing"), plans)
    assert await admitted(things, lambda: samples.served("get_thing")) == 2


async def test_a_call_takes_what_its_operation_costs(store: Store, samples: Any, headers_of: HeadersOf) -> None:
    plans = Book(Plan(name="p", rates={"experience": RateLimit.parse("13/1h")}, quotas=(Quota(11, "day"),)))
    operation = handler(store, samples.operation("get_dear_thing"), plans)
    assert await admitted(operation, lambda: samples.served("get_dear_thing")) == 2
    things = handler(store, samples.operation("get_thing"), plans)
    exchange = samples.served("get_thing")
    await things(exchange)
    assert headers_of(exchange)["ratelimit"].startswith('"experience";r=2;t=')
    assert await admitted(things, lambda: samples.served("get_thing")) == 0  # the quota ends first


async def test_a_reloaded_plan_holds_at_once_and_forgets_nothing(store: Store, samples: Any) -> None:
    plans = Book(Plan(name="p", rates={"experience": RateLimit.parse("10/1h")}))
    operation = handler(store, samples.operation("get_thing"), plans)
    for _ in range(4):
        await operation(samples.served("get_thing"))
    plans.plan = Plan(name="p", rates={"experience": RateLimit.parse("10/1h")}, quotas=(Quota(2, "day"),))
    assert await admitted(operation, lambda: samples.served("get_thing")) == 2
    plans.plan = Plan(name="p", rates={"experience": RateLimit.parse("10/1h")})
    assert await admitted(operation, lambda: samples.served("get_thing")) == 4
    plans.plan = None  # an empty bucket stays empty, whatever it may hold from now on
    assert await admitted(operation, lambda: samples.served("get_thing")) == 0


async def test_a_call_after_midnight_is_judged_in_the_new_day(store: Store, samples: Any) -> None:
    """The process has yesterday in mind, and a week after: the store's clock decides, not the process's."""
    for name, away_s in (("behind", -90_000), ("far-behind", -10_000_000), ("ahead", 10_000_000)):
        enforcement = Enforcement(
            Settings(experience="100/1h"), store, Away(away_s), Book(Plan(name="p", quotas=(Quota(2, "day"),)))
        )
        wrap = enforcement.enforce(samples.operation("get_thing"), "served")
        assert wrap is not None
        operation = wrap(reached)

        def call(client: str = name) -> Exchange:
            return samples.served("get_thing", client=client)

        assert await admitted(operation, call) == 2


class Listening(Store):
    """Keeps the arguments of every script that was run."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.heard: list[list[bytes]] = []

    def run(self, script: Any, keys: Any, arguments: Any) -> Awaitable[Any]:
        self.heard.append([*arguments])
        return super().run(script, keys, arguments)


@pytest.mark.parametrize("refused", [False, True])
async def test_once_told_the_day_a_process_asks_for_it(
    store: Store, valkey_socket: str, samples: Any, refused: bool
) -> None:
    """Yesterday in mind, it is judged in the period that follows, and from then on asks for that one itself."""
    listening = Listening(valkey_socket)
    plans = Book(Plan(name="p", quotas=(Quota(5, "day"),)))
    enforcement = Enforcement(Settings(), listening, Away(-86_400), plans)
    wrap = enforcement.enforce(samples.operation("get_thing"), "served")
    assert wrap is not None
    await listening.start()
    for _ in range(2):
        exchange = samples.served("get_thing")
        await (enforcement.refused(exchange) if refused else wrap(reached)(exchange))
    await listening.close()
    first, second = ([int(bound) for bound in heard[-3:]] for heard in listening.heard)
    assert second[:2] == first[1:]


async def test_without_a_store_a_process_admits_its_share_of_a_quota(samples: Any) -> None:
    plans = Book(Plan(name="p", quotas=(Quota(12, "day"),)))
    enforcement = Enforcement(Settings(experience="1000/1h"), Store("/nowhere"), SystemClock(), plans)
    wrap = enforcement.enforce(samples.operation("get_thing"), "served")
    assert wrap is not None
    assert await admitted(wrap(reached), lambda: samples.served("get_thing")) == 3


class Away(SystemClock):
    """A clock that is wrong."""

    def __init__(self, away_s: float) -> None:
        self._away_s = away_s

    def now(self) -> Any:
        return super().now() + timedelta(seconds=self._away_s)


async def test_the_store_keeps_all_limits_of_a_client_in_one_slot(store: Store, samples: Any) -> None:
    plans = Book(Plan(name="p", quotas=(Quota(3, "day"),)))
    await handler(store, samples.operation("get_costly_thing"), plans)(samples.served("get_costly_thing", client="a b"))
    keys = sorted(await store.command(b"KEYS", b"*"))
    assert keys == [b"limit:{a b}:day", b"limit:{a b}:experience", b"limit:{a b}:" + COSTLY.encode()]


async def test_consumers_know_the_plan_of_every_client(store: Store, samples: Any) -> None:
    consumers = Consumers(
        [Consumer(client_id="shop", name="Shop", plan="small")],
        [Plan(name="small", rates={"experience": RateLimit.parse("2/1h")})],
    )
    enforcement = Enforcement(Settings(experience="3/1h"), store, SystemClock(), consumers)
    wrap = enforcement.enforce(samples.operation("get_thing"), "served")
    assert wrap is not None
    operation = wrap(reached)
    counts = [
        await admitted(operation, lambda client=name: samples.served("get_thing", client=client))
        for name in ("shop", "?")
    ]
    assert counts == [2, 3]


@pytest.mark.parametrize("plan", [
    Plan(name="small", rates={"experience": RateLimit.parse("4/1h")}), Plan(name="small", quotas=(Quota(4, "day"),)),
])  # fmt: skip
async def test_a_plan_under_which_no_call_passes_is_told(
    store: Store, samples: Any, plan: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    dear = handler(store, samples.operation("get_dear_thing"), Book(plan))
    assert [await admitted(dear, lambda: samples.served("get_dear_thing")) for _ in range(2)] == [0, 0]
    assert [record.getMessage() for record in caplog.records] == [
        "samples.v1.get_dear_thing costs 5, and plan small never has more than 4: no call of it passes"
    ]


def test_a_cost_above_every_burst_is_found(samples: Any) -> None:
    enforcement = Enforcement(Settings(experience="4/1h"), Store("/unused"), SystemClock())
    assert [finding.id for finding in enforcement.audit(samples.operation("get_dear_thing"))] == ["RL-012"]
    assert enforcement.document(samples.operation("get_dear_thing")).extensions["x-rate-limit"]["cost"] == 5
    (spent, *_) = Enforcement(Settings(experience="12/1h"), Store("/unused"), SystemClock()).prove(
        samples.operation("get_dear_thing")
    )
    assert (spent.repeat, spent.until_spent) == (3, False)
