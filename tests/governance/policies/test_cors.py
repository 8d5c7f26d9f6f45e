"""CORS by consumer: who may read which answer, and what a preflight is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from governance.bindings.edge import Edge
from governance.call import Policy
from governance.consumers import Consumer, Consumers
from governance.contract import operation_of
from governance.policies.cors import EXPOSED, Enforcement, Settings
from tests.governance.bindings.sample_apis import ShelvesV1
from tests.governance.bindings.sample_gateway import SHELVES, Reply, ask, assemble, edge_of
from tests.governance.policies.refusing import Refusing

pytestmark = pytest.mark.anyio
BOOK = f"{SHELVES}/books/b1"
OURS = "https://portal.example"
THEIRS = "https://other.example"
CONSUMERS = Consumers(
    [
        Consumer(client_id="c-1", name="The reader", origins=(OURS,)),  # every caller of the sample world
        Consumer(client_id="c-2", name="Another", origins=(THEIRS,)),
    ]
)
READABLE_BY = {"vary": "origin", "access-control-allow-origin": OURS, "access-control-expose-headers": EXPOSED.decode()}


def world(*policies: Policy, consumers: Consumers = CONSUMERS) -> Edge:
    cors = Enforcement(Settings(), consumers)
    return edge_of(assemble(policies=(cors, *policies)), preflight=cors.preflight)


def of_cors(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control") or name == "vary"}


async def get(edge: Edge, path: str = BOOK, **headers: str) -> dict[str, str]:
    return of_cors(await ask(edge, "GET", path, headers=headers))


async def test_an_answer_is_readable_for_an_origin_of_its_own_caller() -> None:
    edge = world()
    assert await get(edge, Origin=OURS) == READABLE_BY
    assert await get(edge, Origin=THEIRS) == {"vary": "origin"}
    assert await get(edge, Origin="null") == {"vary": "origin"}
    assert await get(edge, Origin=OURS.upper()) == {"vary": "origin"}


async def test_refusals_and_unchanged_answers_are_readable_too() -> None:
    edge = world()
    assert await get(edge, f"{SHELVES}/books/missing", Origin=OURS) == READABLE_BY
    assert await get(edge, f"{BOOK}?x=1", Origin=OURS) == READABLE_BY
    reply = await ask(edge, "GET", BOOK, headers={"Origin": OURS, "If-None-Match": '"3"'})
    assert (reply.status, of_cors(reply)) == (304, READABLE_BY)


async def test_a_refusal_of_an_unknown_caller_is_readable_for_every_consumers_origin() -> None:
    edge = world(Refusing(401))
    assert (await get(edge, Origin=THEIRS))["access-control-allow-origin"] == THEIRS
    assert await get(edge, Origin="https://nobody.example") == {"vary": "origin"}


async def test_caches_are_told_even_without_an_origin() -> None:
    assert await get(world()) == {"vary": "origin"}


async def test_credentials_are_never_allowed() -> None:
    edge = world()
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": OURS, "Access-Control-Request-Method": "GET"}
        assert "access-control-allow-credentials" not in (await ask(edge, method, BOOK, headers=headers)).headers


async def test_a_preflight_needs_no_token_and_allows_what_the_path_has() -> None:
    edge = world(Refusing(401))
    asked = {"Origin": OURS, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-anything"}
    reply = await ask(edge, "OPTIONS", f"{SHELVES}/books", headers=asked)
    assert reply.status == 204
    found = of_cors(reply)
    assert found.pop("access-control-allow-headers").split(", ") == [
        "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer", "traceparent",
    ]  # fmt: skip
    assert found == {
        "access-control-allow-origin": OURS,
        "access-control-allow-methods": "GET, HEAD, OPTIONS, POST",
        "access-control-max-age": "600",
        "vary": "origin",
    }
    stranger = await ask(edge, "OPTIONS", BOOK, headers=asked | {"Origin": "https://nobody.example"})
    assert of_cors(stranger) == {}


async def test_without_any_origin_nothing_is_said_until_a_consumer_has_one() -> None:
    consumers = Consumers([Consumer(client_id="c-1", name="No browser")])
    edge = world(consumers=consumers)
    asked = {"Origin": OURS, "Access-Control-Request-Method": "GET"}
    assert await get(edge, Origin=OURS) == {}
    assert of_cors(await ask(edge, "OPTIONS", BOOK, headers=asked)) == {}
    consumers.become(CONSUMERS)
    assert await get(edge, Origin=OURS) == READABLE_BY
    assert Enforcement(Settings(), CONSUMERS).enforce(operation_of(ShelvesV1.get_book), "local") is None


@pytest.mark.parametrize("settings", [{"max_age_s": -1}, {"max_age_s": 86_401}, {"origins": []}])
def test_settings_have_bounds(settings: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, Settings)


def test_contracts_say_nothing_of_browsers() -> None:
    assert Enforcement(Settings(), CONSUMERS).document(operation_of(ShelvesV1.get_book)).problems == ()
