"""What stands in front of every operation, in which order: governance can't be bypassed.

The order is compared with chains.txt for one operation of each kind and binding; after a change
that is meant, ``UPDATE_SNAPSHOTS=1 pytest tests/architecture`` writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.composition.application import Tiergate
from governance.call import Stage
from governance.contract.graph import Node
from governance.report import OperationRow, api_rows

SNAPSHOT = Path(__file__).with_name("chains.txt")
STAGES = [stage.name.lower() for stage in Stage]
SAMPLES = (
    "portal.v1.get_order",
    "portal.v1.list_products",
    "portal.v1.place_order",
    "portal.v1.cancel_order",
    "order_to_fulfillment.v1.place_order",
    "erp.v1.get_product",
    "erp.v1.list_products",
    "erp.v1.post_sales_order",
    "erp.v1.cancel_sales_order",
    "erp.v1.put_terms",
    "crm.v1.put_account",
    "payments.v1.receive_event",
)
INBOUND = ("commerce.v1.receive_event", "logistics.v1.receive_event", "payments.v1.receive_event")
"""A vendor holds no token: its signature says who it is, and nothing else on these says so."""


@pytest.fixture(scope="module")
def rows(gateway: Tiergate) -> dict[str, OperationRow]:
    nodes: list[Node] = gateway.state.nodes
    found = api_rows(nodes, gateway.state.assembly.chains)
    return {operation.id: operation for api in found for operation in api.operations}


def test_the_order_is_the_committed_one(rows: dict[str, OperationRow]) -> None:
    lines: list[str] = []
    for name in sorted(rows.keys() & set(SAMPLES)):
        lines += [f"{name} served", *(f"  {link}" for link in rows[name].served_chain)]
        lines += [f"{name} local", *(f"  {link}" for link in rows[name].local_chain)]
    now = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text()


def test_no_sample_is_gone(rows: dict[str, OperationRow]) -> None:
    assert set(SAMPLES) <= rows.keys()


def test_stages_stand_in_their_order_everywhere(rows: dict[str, OperationRow]) -> None:
    for row in rows.values():
        for chain in (row.served_chain, row.local_chain):
            places = [STAGES.index(link.partition(":")[0]) for link in chain]
            assert places == sorted(places), row.id


def test_no_served_operation_goes_around_governance(rows: dict[str, OperationRow]) -> None:
    assert len(rows) > 60
    for row in rows.values():
        who = "webhook_signature" if row.id in INBOUND else "authentication"
        demanded = {"telemetry", who, "scopes", "rate_limit", "admit", "decode", "annotate", "encode"}
        if not row.public_because:
            demanded.add("ownership")
        if row.keyed:
            demanded.add("idempotency")
        found = {link.partition(":")[2] for link in row.served_chain}
        assert not demanded - found, f"{row.id} is served without {demanded - found}"
        assert len(found & {"authentication", "webhook_signature"}) == 1, f"{row.id} has two ways in"


def test_no_local_call_goes_around_scopes_and_ownership(rows: dict[str, OperationRow]) -> None:
    for row in rows.values():
        demanded = {"telemetry", "scopes"} | (set() if row.public_because else {"ownership"})
        missing = demanded - {link.partition(":")[2] for link in row.local_chain}
        assert not missing, f"{row.id} is called without {missing}"


def test_every_operation_is_served_by_its_chain_and_by_nothing_else(gateway: Tiergate) -> None:
    tiers = ("/system/", "/process/", "/experience/")
    beside = [route.path for route in gateway.routes if route.path.startswith(tiers)]
    assert not beside, f"these paths shadow operations: {beside}"
