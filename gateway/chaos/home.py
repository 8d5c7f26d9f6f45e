"""The home of a run: its configuration, its clients, and goods enough for all orders."""

from __future__ import annotations

from gateway.chaos.drive import WATCHER, Crowd
from gateway.chaos.http import Lost
from gateway.chaos.wishes import IN_HAMBURG, IN_ROTTERDAM, PLENTY, PORTAL_ACCOUNTS, SKUS

SYSTEMS = "system-demo"
CLIENTS = (*(account.lower() for account in PORTAL_ACCOUNTS), "inside-sales", WATCHER, SYSTEMS)
WAREHOUSES = ("HAM", "ROT", "POZ", "CLE-3PL")
THIRD_PARTY = "CLE-3PL"
PLACES = {IN_HAMBURG: ("HAM",), IN_ROTTERDAM: ("ROT",), **dict.fromkeys(SKUS, WAREHOUSES)}

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

[roles.portal]
select = [{{ tier = "experience", api = "portal" }}]

[consumers.inside-sales]
secrets = ["env:CHAOS_SECRET"]
scopes = [
    "order-to-fulfillment.agreed-orders:write",
    "order-to-fulfillment.orders:write",
    "order-to-fulfillment.orders:read",
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
    return CONFIGURATION.format(database_url=database_url, watcher=WATCHER) + "".join(clients)


async def put_goods(crowd: Crowd) -> None:
    """Put as much on stock as any run can order, some of it in one warehouse only.

    Raises:
        Lost: the ERP did not take it.
    """
    for sku, places in PLACES.items():
        for warehouse in WAREHOUSES:
            body = {"on_hand": PLENTY if warehouse in places else 0, "third_party": warehouse == THIRD_PARTY}
            path = f"/system/erp/v1/inventory/{warehouse}/{sku}"
            answer = await crowd.ask(SYSTEMS, "PUT", path, body)
            if answer.status != 200:
                raise Lost(f"PUT {path} answered {answer.status}: {answer.body.decode(errors='replace')}")
