"""Both header fields stand on every answer to a known client, whatever stage refused it, and each such call is charged."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from governance.bindings.edge import Edge
from governance.call import Exchange, Handler, Policy, Stage, SystemClock, Wrap
from governance.contract import Operation
from governance.contract.refusals import InsufficientScope, Unauthenticated
from governance.policies.rate_limit import Enforcement, Settings
from governance.store import Store
from tests.governance.bindings.sample_gateway import SHELVES, ask, assemble, edge_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.rule(
        "draft-ietf-httpapi-ratelimit-headers-11 §6", "The fields are sent whatever the answer's status is"
    ),
]


class Refusing(Policy):
    """Refuses every served call at its stage: at once, or after a wait."""

    name = "refusing"
    stage = Stage.AUTHORIZE

    def __init__(self, *, late: bool = False) -> None:
        self._late = late

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            def at_once(exchange: Exchange) -> Awaitable[Any]:
                raise InsufficientScope(scope="more")

            async def waiting(exchange: Exchange) -> Any:
                raise InsufficientScope(scope="more")

            return waiting if self._late else at_once

        return wrap if binding == "served" else None


class Stranger(Refusing):
    """Refuses before anybody is known."""

    stage = Stage.IDENTIFY
    position = 1

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            def refuse(exchange: Exchange) -> Awaitable[Any]:
                raise Unauthenticated

            return refuse

        return wrap if binding == "served" else None


def edge(store: Store, *policies: Policy, **settings: Any) -> Edge:
    limiting = Enforcement(Settings(system="5/1h", **settings), store, SystemClock())
    return edge_of(assemble(policies=(*policies, limiting)))


@pytest.mark.parametrize("late", [False, True])
async def test_a_call_refused_before_its_turn_is_charged_and_told(store: Store, late: bool) -> None:
    refusing = edge(store, Refusing(late=late))
    for remaining in (4, 3, 2, 1, 0, 0):
        reply = await ask(refusing, "GET", f"{SHELVES}/words/a")
        reply.problem(403, "insufficient-scope")
        assert reply.headers["ratelimit"] == f'"system";r={remaining};t=720'
        assert reply.headers["ratelimit-policy"] == '"system";q=5;w=3600'
        assert "retry-after" not in reply.headers
    (await ask(edge(store), "GET", f"{SHELVES}/words/a")).problem(429, "rate-limited")


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", f"{SHELVES}/words/a", None, 200),
        ("HEAD", f"{SHELVES}/words/a", None, 200),
        ("GET", f"{SHELVES}/words/a?unknown=1", None, 400),
        ("POST", f"{SHELVES}/words", b"{", 400),
        ("POST", f"{SHELVES}/words", b"{}", 422),
    ],
)
async def test_what_reached_the_limiter_is_charged_once(
    store: Store, method: str, target: str, body: bytes | None, status: int
) -> None:
    reply = await ask(edge(store), method, target, body=body)
    assert reply.status == status
    assert reply.headers["ratelimit"] == '"system";r=4;t=720'


@pytest.mark.rule(
    "draft-ietf-httpapi-ratelimit-headers-11 §8.2", "A 401 counts against nobody's quota and tells nobody of it"
)
async def test_a_stranger_is_told_nothing_and_charges_nobody(store: Store) -> None:
    reply = await ask(edge(store, Stranger()), "GET", f"{SHELVES}/words/a")
    assert reply.status == 401
    assert "ratelimit" not in reply.headers
    assert await store.command(b"DBSIZE") == 0


async def test_a_hop_is_neither_charged_nor_told(store: Store) -> None:
    hop = {"Authorization": "Bearer loans.v1"}
    reply = await ask(edge(store, Refusing()), "GET", f"{SHELVES}/words/a", headers=hop)
    assert reply.status == 403
    assert "ratelimit" not in reply.headers
    assert await store.command(b"DBSIZE") == 0


@pytest.mark.parametrize("mode", ["open", "closed", "local"])
async def test_without_a_store_a_refusal_stands_as_it_is(mode: str) -> None:
    reply = await ask(edge(Store("/nowhere"), Refusing(), on_store_failure=mode), "GET", f"{SHELVES}/words/a")
    reply.problem(403, "insufficient-scope")
    assert "ratelimit" not in reply.headers
