"""An invoice that is credited before its money comes: it takes what is owed, and the rest is to the account's credit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from order_world import World, an_order, run
from test_channels import sold_on
from test_interruptions import Forward, around, status_of

from system_apis.erp.port import DocumentFilter
from system_apis.erp.receivables import NewCreditMemo


def test_what_a_channel_has_for_goods_that_were_credited_stays_to_the_accounts_credit(tmp_path: Path) -> None:
    credited: list[Any] = []

    async def rule(name: str, forward: Forward) -> Any:
        if name == "pay_invoice" and not credited:
            [(_, invoice)] = await world.erp.list_invoices(DocumentFilter(account_ids=("ACME",)), 0, 10)
            goodwill = NewCreditMemo(account_id="ACME", invoice_id=invoice.invoice_id, amount=invoice.net)
            credited.append(await world.erp.post_credit_memo(goodwill, "goodwill"))
        return await forward()

    world = World(tmp_path, wrap=around(rule))

    async def scenario() -> None:
        async with world:
            channel_order = await sold_on(world, "marketplace_north", "ACME", "CH-1")
            wanted = an_order(
                "ACME", ("BRG-6204", 4), channel="marketplace_north", channel_order_id=channel_order, reference="CH-1"
            )
            order = await world.place("k", wanted, wait_s=0)
            order = await status_of(world, order.order_id, "completed")
            [memo] = credited
            [(_, invoice)] = await world.erp.list_invoices(DocumentFilter(account_ids=("ACME",)), 0, 10)
            assert invoice.paid + memo.total == invoice.total == order.total
            [(_, received)] = await world.erp.list_received_payments(DocumentFilter(account_ids=("ACME",)), 0, 10)
            assert (received.amount, received.unapplied, received.allocations) == (memo.total, memo.total, ())
            assert received.bank_reference == "CH-1"
            assert (await world.erp.ledger()).discrepancies == ()

    run(scenario())
