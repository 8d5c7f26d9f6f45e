"""The home of a run: its configuration, its clients, and goods enough for all orders."""

from __future__ import annotations

from gateway.chaos.drive import SYSTEMS, WATCHER, Crowd
from gateway.chaos.http import Lost
from gateway.chaos.wishes import (
    APPROVER,
    CHANNEL_PRICE_MINOR,
    DEAR,
    IN_HAMBURG,
    IN_ROTTERDAM,
    PLENTY,
    PORTAL_ACCOUNTS,
    SALES,
    SCARCE,
    SHOPS,
    SKUS,
)

CLIENTS = (*(account.lower() for account in PORTAL_ACCOUNTS), SALES, APPROVER, WATCHER, SYSTEMS)
WAREHOUSES = ("HAM", "ROT", "POZ", "CLE-3PL")
THIRD_PARTY = "CLE-3PL"
PLACES = {
    IN_HAMBURG: ("HAM",),
    IN_ROTTERDAM: ("ROT",),
    **dict.fromkeys((*SKUS, DEAR), WAREHOUSES),
    **dict.fromkeys(SCARCE, ()),
}

CONFIGURATION = """\
# Written by tiergate chaos for one run.

[chaos]
faults = true

[database]
url = "{database_url}"

[systems.logistics.settings]
pick_after_s = 0.05
dispatch_after_s = 0.2
deliver_after_s = 0.4

[policies.rate_limit]
experience = "600000/60s burst 100000"
process = "600000/60s burst 100000"
system = "600000/60s burst 100000"

[policies.idempotency]
lease_s = 2

[processes.order_to_fulfillment]
stock_look_s = 5

[processes.returns]
approval_above_minor = 1000

[roles.portal]
select = [{{ tier = "experience", api = "portal" }}]

[consumers.{sales}]
secrets = ["env:CHAOS_SECRET"]
scopes = [
    "order-to-fulfillment.agreed-orders:write",
    "order-to-fulfillment.orders:write",
    "order-to-fulfillment.orders:read",
    "returns.returns:write",
    "returns.returns:read",
    "returns.receipts:write",
    "returns.inspections:write",
    "quote-to-cash.quotes:write",
    "quote-to-cash.quotes:read",
    "quote-to-cash.answers:write",
]
account_reach = "all"

[consumers.{approver}]
secrets = ["env:CHAOS_SECRET"]
scopes = [
    "order-to-fulfillment.approvals:write",
    "order-to-fulfillment.orders:read",
    "returns.decisions:write",
    "quote-to-cash.approvals:write",
]
account_reach = "all"

[consumers.{watcher}]
secrets = ["env:CHAOS_SECRET"]
scopes = ["order-to-fulfillment.orders:read"]
account_reach = "all"
"""
PORTAL_CLIENT = """
[consumers.{client}]
secrets = ["env:CHAOS_SECRET"]
role = "portal"
accounts = ["{account_id}"]
"""


def configuration(database_url: str) -> str:
    """The tiergate.toml of a run."""
    clients = [PORTAL_CLIENT.format(client=account.lower(), account_id=account) for account in PORTAL_ACCOUNTS]
    return CONFIGURATION.format(database_url=database_url, watcher=WATCHER, sales=SALES, approver=APPROVER) + "".join(
        clients
    )


async def put_goods(crowd: Crowd) -> None:
    """Put as much on stock as any run can order, some of it in one warehouse only, and list it in the shops.

    Of what is scarce there is nothing yet.

    Raises:
        Lost: a system did not take it.
    """
    price = {"amount_minor": CHANNEL_PRICE_MINOR, "currency": "EUR"}
    for sku, places in PLACES.items():
        for warehouse in WAREHOUSES:
            level = {"on_hand": PLENTY if warehouse in places else 0, "third_party": warehouse == THIRD_PARTY}
            await _put(crowd, f"/system/erp/v1/inventory/{warehouse}/{sku}", level)
        for shop in SHOPS.values():
            await _put(crowd, f"/system/commerce/v1/channels/{shop}/items/{sku}", {"title": sku, "price": price})


async def _put(crowd: Crowd, path: str, body: object) -> None:
    answer = await crowd.ask(SYSTEMS, "PUT", path, body)
    if answer.status not in (200, 201):
        raise Lost(f"PUT {path} answered {answer.status}: {answer.body.decode(errors='replace')}")
