"""The demo clients: exactly their roles, and nowhere but on loopback with the embedded issuer."""

from __future__ import annotations

import pytest
from msgspec import Struct

from governance.consumers import Consumer, ConsumerError, ScopeCatalogue, demo_consumers, demo_secret


class Scoped(Struct, frozen=True):
    scope: str
    tier: str


CATALOGUE = ScopeCatalogue.of(
    [
        Scoped("portal.orders:read", "experience"),
        Scoped("portal.orders:write", "experience"),
        Scoped("mobile.orders:read", "experience"),
        Scoped("catalogue.products:read", "process"),
        Scoped("order-to-fulfillment.orders:write", "process"),
        Scoped("erp.products:read", "system"),
        Scoped("erp.sales-orders:write", "system"),
    ]
)


def demo() -> dict[str, Consumer]:
    return {one.client_id: one for one in demo_consumers(CATALOGUE, embedded_issuer=True, loopback=True)}


@pytest.mark.parametrize(
    ("client_id", "scopes", "accounts", "reach"),
    [
        ("portal-demo", {"portal.orders:read", "portal.orders:write"}, ("ACME",), "own"),
        ("portal-demo-2", {"portal.orders:read", "portal.orders:write"}, ("GLOBEX",), "own"),
        ("partner-demo", set(), ("ACME",), "own"),
        ("platform-demo", {"governance:read", "governance:prove", "catalogue.products:read"}, (), "all"),
        ("operations-demo", {"governance:read", "governance:prove", "catalogue.products:read"}, (), "all"),
        ("system-demo", {"erp.products:read", "erp.sales-orders:write"}, (), "all"),
    ],
)
def test_each_has_the_scopes_of_its_role(
    client_id: str, scopes: set[str], accounts: tuple[str, ...], reach: str
) -> None:
    one = demo()[client_id]
    assert (one.scopes, one.accounts, one.account_reach) == (scopes, accounts, reach)
    assert one.knows(f"{client_id}-secret")
    assert demo_secret(client_id) == f"{client_id}-secret"


def test_there_are_six() -> None:
    assert list(demo()) == [
        "portal-demo", "portal-demo-2", "partner-demo", "platform-demo", "operations-demo", "system-demo",
    ]  # fmt: skip


@pytest.mark.parametrize(("embedded_issuer", "loopback"), [(False, True), (True, False), (False, False)])
def test_they_exist_nowhere_else(embedded_issuer: bool, loopback: bool) -> None:
    with pytest.raises(ConsumerError, match="Demo clients"):
        demo_consumers(CATALOGUE, embedded_issuer=embedded_issuer, loopback=loopback)
