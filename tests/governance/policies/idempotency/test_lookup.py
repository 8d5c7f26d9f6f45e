"""Looking a key up: on a served API, for its own client, behind the policies of every operation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from governance.bindings.execution import innermost
from governance.bindings.served import WireLimits, served
from governance.call import Accounts, Call, Exchange, ManualClock, Principal
from governance.contract.refusals import SystemUnavailable
from governance.policies.idempotency import Enforcement, Settings
from governance.policies.idempotency.lookup import KeyState
from governance.store import Store
from tests.governance.policies.idempotency.test_enforcement import BODY, Work

pytestmark = pytest.mark.anyio


class Desk:
    """One keyed operation, and the read beside it."""

    def __init__(self, store: Store, samples: Any, work: Work) -> None:
        self.samples = samples
        self.policy = Enforcement(Settings(lease_s=5), store)
        operation = samples.operation("post_thing")
        wrap = self.policy.enforce(operation, "served")
        assert wrap is not None
        self.write: Any = wrap(work)
        ((self.read, self.service),) = self.policy.beside(operation)

    async def look(self, key: str, client: str = "portal-demo", accounts: Accounts = Accounts(ids=("ACME",))) -> Any:
        """The state that a caller is told."""
        exchange = Exchange(self.read, "served")
        principal = Principal(subject=client, client_id=client, accounts=accounts)
        exchange.call = Call(principal=principal, operation_id=self.read.id)
        exchange.arguments = (key,)
        return await innermost(self.read, self.service, ManualClock())(exchange)


async def test_a_key_is_unknown_then_in_flight_then_completed(store: Store, samples: Any) -> None:
    work = Work()
    work.may_end.clear()
    desk = Desk(store, samples, work)
    unknown = KeyState(operation="samples.v1.post_thing", state="unknown")
    assert await desk.look("k") == unknown
    writing = asyncio.create_task(desk.write(samples.served("post_thing", key="k", body=BODY)))
    await work.began.wait()
    assert await desk.look("k") == KeyState(operation="samples.v1.post_thing", state="in-flight", remaining_s=5)
    work.may_end.set()
    await writing
    state = await desk.look("k")
    assert (state.state, state.status, state.remaining_s) == ("completed", 201, 86_400)
    assert abs((datetime.now(UTC) - state.completed_at).total_seconds()) < 60
    assert await desk.look("other") == unknown
    assert work.effects == 1


async def test_a_refusal_completes_a_key_and_a_crash_leaves_nothing(store: Store, samples: Any) -> None:
    work = Work(samples.OutOfThings(left=3))
    desk = Desk(store, samples, work)
    with pytest.raises(samples.OutOfThings):
        await desk.write(samples.served("post_thing", key="refused", body=BODY))
    assert (await desk.look("refused")).status == 409
    work.ending = RuntimeError("crash")
    with pytest.raises(RuntimeError):
        await desk.write(samples.served("post_thing", key="crashed", body=BODY))
    assert (await desk.look("crashed")).state == "unknown"


async def test_nobody_elses_key_is_known(store: Store, samples: Any) -> None:
    desk = Desk(store, samples, Work())
    await desk.write(samples.served("post_thing", key="k", body=BODY))
    assert (await desk.look("k")).state == "completed"
    strangers: list[dict[str, Any]] = [
        {"client": "other"},
        {"accounts": Accounts(ids=("OTHER",))},
        {"accounts": Accounts(ids=("ACME",), reach="subtree")},
        {"accounts": Accounts(reach="all")},
    ]
    for stranger in strangers:
        assert await desk.look("k", **stranger) == await desk.look("never used", **stranger)


def test_it_needs_the_scope_of_what_it_asks_about(store: Store, samples: Any) -> None:
    desk = Desk(store, samples, Work())
    write = samples.operation("post_thing")
    assert (desk.read.scope, desk.read.tier, desk.read.lifecycle) == (write.scope, write.tier, write.lifecycle)
    assert desk.read.path == "/experience/samples/v1/idempotency-keys/post-thing/{key}"
    assert desk.read.id == "samples.v1.post_thing_key"
    assert (desk.read.method, desk.read.safe, desk.read.keyed) == ("GET", True, False)
    assert list(desk.policy.beside(desk.read)) == []
    assert list(desk.policy.beside(samples.operation("get_thing"))) == []
    served(desk.read, desk.service, (), ManualClock(), WireLimits())


async def test_while_the_store_is_away_nothing_is_said(fragile_store: Any, samples: Any) -> None:
    store = Store(fragile_store.socket)
    desk = Desk(store, samples, Work())
    await store.start()
    fragile_store.freeze()
    with pytest.raises(SystemUnavailable):
        await desk.look("k")
    fragile_store.thaw()
    await store.close()
