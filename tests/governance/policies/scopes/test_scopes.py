"""Scopes: one exact scope per operation, in both bindings."""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from msgspec import Struct

from governance.call import Binding, Call, Exchange, ManualClock, Principal
from governance.contract import Contract, operation_of, read
from governance.contract.refusals import InsufficientScope
from governance.identity import TokenVerifier
from governance.policies.scopes import Enforcement, Settings

pytestmark = pytest.mark.anyio


class Part(Struct, frozen=True):
    """A part."""

    name: str


class PartsV1(Contract, Protocol, owner="Tests", folder="process_apis.parts.v1"):
    """Parts."""

    @read("/parts", scope="parts.parts:read", public_because="Sample.")
    async def get_part(self) -> Part:
        """One part."""
        ...


OPERATION = operation_of(PartsV1.get_part)
POLICY = Enforcement(Settings(), TokenVerifier([], "https://gw.example", ManualClock()))


async def call(binding: Binding, scopes: set[str], user: set[str] | None = None) -> tuple[Exchange, Any]:
    wrap = POLICY.enforce(OPERATION, binding)
    assert wrap is not None
    exchange = Exchange(OPERATION, binding)
    principal = Principal(subject="u", client_id="c", scopes=frozenset(scopes), acting_api="x.v1" if user else None)
    behind = Principal(subject="u", client_id="c", scopes=frozenset(user or scopes))
    exchange.call = Call(principal=principal, on_behalf_of=behind, operation_id=OPERATION.id)

    async def inner(_: Exchange) -> str:
        return "inner"

    try:
        return exchange, await wrap(inner)(exchange)
    except InsufficientScope as refusal:
        return exchange, refusal


@pytest.mark.parametrize("binding", ["served", "local"])
async def test_the_exact_scope_opens(binding: Binding) -> None:
    assert (await call(binding, {"parts.parts:read"}))[1] == "inner"
    assert (await call(binding, {"a:read", "parts.parts:read"}))[1] == "inner"


@pytest.mark.parametrize("binding", ["served", "local"])
@pytest.mark.parametrize(
    "held",
    [
        "", "parts.parts", "parts.parts:write", "parts.parts:*", "parts.*:read", "*", "parts.parts:READ",
        "parts.parts:read ", "parts.parts:reads", "parts:read", "parts.parts:read parts.parts:write",
    ],
)  # fmt: skip
async def test_no_other_scope_does(binding: Binding, held: str) -> None:
    exchange, refusal = await call(binding, {held})
    assert isinstance(refusal, InsufficientScope)
    assert refusal.members() == {"scope": "parts.parts:read"}
    (header,) = exchange.response_headers
    assert header[0] == b"www-authenticate"
    assert b'error="insufficient_scope"' in header[1]
    assert b'scope="parts.parts:read"' in header[1]


async def test_a_token_without_scopes_has_none() -> None:
    assert isinstance((await call("served", set()))[1], InsufficientScope)


async def test_an_inner_call_is_judged_by_its_grant_and_not_by_the_users_scopes() -> None:
    assert (await call("local", {"parts.parts:read"}, user={"portal.parts:read"}))[1] == "inner"
    assert isinstance((await call("local", {"other:read"}, user={"parts.parts:read"}))[1], InsufficientScope)


def test_what_it_documents_and_proves() -> None:
    assert POLICY.document(OPERATION).problems == (InsufficientScope,)
    nothing, neighbours = POLICY.prove(OPERATION)
    for probe in (nothing, neighbours):
        assert (probe.token, probe.expect_status, probe.expect_type) == ("no-scope", 403, "insufficient-scope")
    assert nothing.scopes == ()
    assert {"parts.parts:write", "parts.parts:*", "parts.*:read", "*"} <= set(neighbours.scopes)
    assert OPERATION.scope not in neighbours.scopes
