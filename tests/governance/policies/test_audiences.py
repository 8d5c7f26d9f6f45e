"""A client is held to the tiers that its declaration names, whoever issued its token."""

from __future__ import annotations

import pytest

from governance.bindings.edge import Edge
from governance.call import ManualClock
from governance.consumers import Consumer, Consumers
from governance.contract import operation_of
from governance.identity import TokenVerifier
from governance.policies.audiences import Enforcement, Settings
from tests.governance.bindings.sample_apis import ShelvesV1
from tests.governance.bindings.sample_gateway import SHELVES, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
BOOK = f"{SHELVES}/books/b1"


def consumers(*audiences: str) -> Consumers:
    reader = Consumer(client_id="c-1", name="The reader", audiences=frozenset(audiences))
    return Consumers([reader])


def policy(known: Consumers) -> Enforcement:
    return Enforcement(Settings(), known, TokenVerifier([], "https://gateway.example", ManualClock()))


def world(known: Consumers) -> Edge:
    return edge_of(assemble(policies=(policy(known),)))


@pytest.mark.parametrize("known", [consumers(), consumers("system"), consumers("process", "system"), Consumers()])
async def test_a_client_gets_through_where_nothing_closes_the_tier_to_it(known: Consumers) -> None:
    assert (await ask(world(known), "GET", BOOK)).status == 200


@pytest.mark.rule("RFC 6750 §3.1", "A token that is invalid for other reasons is answered 401 invalid_token")
@pytest.mark.rule("RFC 8707 §2", "A token that is meant for one resource is refused at another")
async def test_a_client_is_refused_at_a_tier_that_is_none_of_its_audiences() -> None:
    reply = await ask(world(consumers("experience")), "GET", BOOK)
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


async def test_calls_of_other_tiers_are_not_the_clients_own() -> None:
    reply = await ask(world(consumers("experience")), "GET", BOOK, headers={"Authorization": "Bearer library.v1"})
    assert reply.status == 200


async def test_a_change_holds_from_the_next_call_on() -> None:
    known = consumers()
    edge = world(known)
    assert (await ask(edge, "GET", BOOK)).status == 200
    known.become(consumers("experience"))
    assert (await ask(edge, "GET", BOOK)).status == 401


async def test_it_proves_what_some_consumer_can_show() -> None:
    operation = operation_of(ShelvesV1.get_book)
    assert list(policy(consumers("system")).prove(operation)) == []
    (probe,) = policy(consumers("process")).prove(operation)
    assert (probe.client, probe.expect_status) == ("c-1", 401)
    assert policy(consumers()).enforce(operation, "local") is None
