"""The API report: tiers, owners, callers."""

from __future__ import annotations

from governance.contract.discovery import discover_apis
from governance.contract.graph import graph
from governance.report import api_rows

ROWS = {f"{row.api}.v{row.version}": row for row in api_rows(graph(discover_apis()))}


def test_rows_come_tier_by_tier_from_the_caller_down() -> None:
    tiers = [row.tier for row in ROWS.values()]
    assert tiers == sorted(tiers, key=("experience", "process", "system").index)


def test_a_row_names_callers_and_callees_of_the_api() -> None:
    flow = ROWS["order_to_fulfillment.v1"]
    assert "portal.v1" in flow.called_by
    assert {"crm.v1", "erp.v1", "logistics.v1", "payments.v1"} <= set(flow.calls)
    assert not ROWS["portal.v1"].called_by


def test_an_operation_names_exactly_the_apis_that_need_it() -> None:
    post = next(row for row in ROWS["erp.v1"].operations if row.id == "erp.v1.post_sales_order")
    assert post.called_by == ("order_to_fulfillment.v1",)
    assert post.keyed
    assert post.visible_by == ("account_id",)
    unused = next(row for row in ROWS["erp.v1"].operations if row.id == "erp.v1.put_product")
    assert unused.called_by == ()


def test_without_an_assembly_no_chain_is_claimed() -> None:
    assert all(not one.served_chain and not one.local_chain for row in ROWS.values() for one in row.operations)
