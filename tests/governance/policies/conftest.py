"""A contract with one operation of each kind that the policies tell apart, and exchanges of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import pytest

from governance.call import Accounts, Call, Exchange, Principal, Request
from governance.contract import Contract, Operation, Refusal, create, operation_of, read


class Thing(msgspec.Struct, frozen=True):
    name: str


class OutOfThings(Refusal, status=409, type="out-of-things", title="There are no more things."):
    left: int


class SamplesV1(Contract, Protocol, owner="Tests", folder="experience_apis.samples.v1"):
    """Things to call."""

    @read("/things", scope="samples.things:read", public_because="Sample.")
    async def get_thing(self) -> Thing:
        """One thing."""
        ...

    @read("/costly-things", scope="samples.things:read", public_because="Sample.", limit="2/1h")
    async def get_costly_thing(self) -> Thing:
        """One thing, rarely."""
        ...

    @read("/dear-things", scope="samples.things:read", public_because="Sample.", cost=5)
    async def get_dear_thing(self) -> Thing:
        """One thing, at the price of five."""
        ...

    @create("/things", scope="samples.things:write", public_because="Sample.", raises=[OutOfThings])
    async def post_thing(self, thing: Thing) -> Thing:
        """A new thing."""
        ...


OPERATIONS = {
    name: operation_of(getattr(SamplesV1, name))
    for name in ("get_thing", "get_costly_thing", "get_dear_thing", "post_thing")
}


class Samples:
    """Operations by name, and exchanges as the stages before a policy leave them."""

    Thing = Thing
    OutOfThings = OutOfThings

    def operation(self, name: str) -> Operation:
        return OPERATIONS[name]

    def served(
        self,
        name: str,
        *,
        client: str = "portal-demo",
        accounts: Accounts = Accounts(ids=("ACME",)),
        acting_api: str | None = None,
        key: str | None = None,
        body: bytes = b"",
        query: bytes = b"",
    ) -> Exchange:
        operation = OPERATIONS[name]
        headers = [(b"idempotency-key", key.encode("latin-1"))] if key is not None else []
        request = Request(
            method=operation.method, path=operation.path, query=query, raw_headers=headers, peer="::1", receive=_nothing
        )
        request.body = body
        exchange = Exchange(operation, "served", request)
        self._identify(exchange, client, accounts, acting_api)
        return exchange

    def local(self, name: str, *, client: str = "portal-demo") -> Exchange:
        exchange = Exchange(OPERATIONS[name], "local")
        self._identify(exchange, client, Accounts(), "orders.v1")
        return exchange

    def _identify(self, exchange: Exchange, client: str, accounts: Accounts, acting_api: str | None) -> None:
        principal = Principal(subject=client, client_id=client, accounts=accounts, acting_api=acting_api)
        exchange.principal = principal
        exchange.call = Call(principal=principal, operation_id=exchange.operation.id)


async def _nothing() -> Any:
    raise AssertionError("no policy reads the body")


@pytest.fixture
def samples() -> Samples:
    return Samples()


@pytest.fixture
def headers_of() -> Callable[[Exchange], dict[str, str]]:
    """The headers that policies added, by name; each at most once."""

    def read_headers(exchange: Exchange) -> dict[str, str]:
        found = {name.decode(): value.decode() for name, value in exchange.response_headers}
        assert len(found) == len(exchange.response_headers)
        return found

    return read_headers
