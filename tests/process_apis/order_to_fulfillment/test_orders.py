"""Orders through the whole flow over the embedded systems, in verify mode."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from order_world import World, an_order, left_over

from governance.call import Accounts
from governance.contract import NotFound
from governance.contract.refusals import IdempotencyKeyReused
from process_apis.order_to_fulfillment.v1.model import (
    NewAgreedOrder,
    NewAgreedOrderLine,
    NewOrder,
    Order,
    OrderCancellation,
)
from system_apis.canonical.refusals import AlreadyShipped
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.commerce.drafts import NewChannelOrder, NewChannelOrderLine
from system_apis.erp.documents import StockLevel

EXPECTED_STEPS = [
    "accept", "check_account", "check_terms", "price", "check_credit", "reserve_stock", "post_order", "ship:HAM",
    "await_dispatch", "issue_goods", "invoice", "write_back", "completed",
]  # fmt: skip


@dataclass
class Desk:
    """The world and the loop it lives on."""

    runner: asyncio.Runner
    world: World
    keys: int = 0

    def do(self, scenario: Any) -> Any:
        return self.runner.run(scenario)

    def place(self, order: NewOrder, key: str | None = None) -> Order:
        self.keys += 1
        return self.do(self.world.place(key or f"key-{self.keys}", order))

    def timeline(self, order: Order) -> Any:
        async def read() -> Any:
            with self.world.calling():
                return (await self.world.orders.get_timeline(order.order_id)).entries

        return self.do(read())

    def call(self, name: str, *args: Any, key: str | None = None, accounts: Accounts | None = None, **more: Any) -> Any:
        async def act() -> Any:
            with self.world.calling(key, accounts=accounts or Accounts(reach="all")):
                return await getattr(self.world.orders, name)(*args, **more)

        return self.do(act())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        home: Path = tmp_path_factory.mktemp("orders")

        async def open_world() -> World:
            return await World(home).__aenter__()

        world = runner.run(open_world())
        yield Desk(runner, world)
        runner.run(world.__aexit__())


def test_an_order_on_account_ends_with_its_invoice(desk: Desk) -> None:
    order = desk.place(an_order("ACME", ("BRG-6204", 3)))

    assert (order.status, order.stage, order.payment) == ("completed", "completed", "on_account")
    assert order.total == Money(1464, "EUR")
    assert order.ship_to is not None
    assert order.ship_to.city == "Hamburg"
    assert len(order.invoice_ids) == len(order.shipment_ids) == 1
    entries = desk.timeline(order)
    assert [entry.step for entry in entries] == EXPECTED_STEPS
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert {entry.outcome for entry in entries} == {"accepted", "done", "completed"}


def test_a_card_is_authorised_captured_and_pays_the_invoice(desk: Desk) -> None:
    order = desk.place(an_order("PIXELFAB", ("BRG-6204", 2), card_token="card_ok"))

    assert (order.status, order.payment) == ("completed", "card")

    async def money() -> Any:
        payments = [one for one in await desk.world.payments.ledger() if one.order_reference == order.order_id]
        return payments, await desk.world.erp.get_invoice(order.invoice_ids[0])

    payments, invoice = desk.do(money())
    assert [(one.status, one.captured_minor) for one in payments] == [("captured", invoice.total.amount_minor)]
    assert invoice.status == "paid"


def test_goods_of_several_warehouses_are_shipped_from_each(desk: Desk) -> None:
    positions = desk.do(desk.world.erp.get_availability("BRG-6000")).positions
    places = [position.warehouse for position in positions]

    async def level(each: int) -> None:
        for place in places:
            await desk.world.erp.put_stock(place, "BRG-6000", StockLevel(on_hand=each))

    desk.do(level(2))
    order = desk.place(an_order("ACME", ("BRG-6000", 2 * len(places))))

    assert order.status == "completed"
    assert {one.warehouse for one in order.allocations} == set(places)
    assert len(order.shipment_ids) == len(places)
    assert desk.do(desk.world.erp.get_availability("BRG-6000")).available == 0
    desk.do(level(1_000))


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (an_order("NOBODY", ("BRG-6204", 1)), "unknown-account"),
        (an_order("HOLDFAST", ("BRG-6204", 1)), "account-on-hold"),
        (an_order("OLDMILL", ("BRG-6204", 1)), "account-on-hold"),
        (an_order("ACME", ("NO-SUCH-THING", 1)), "unknown-product"),
        (an_order("TIGHTROPE", ("BRG-6204", 500)), "credit-limit-exceeded"),
        (an_order("STADTWERKE", ("BRG-6204", 1), ("BRG-6000", 900_000)), "insufficient-stock"),
        (an_order("PIXELFAB", ("BRG-6204", 1)), "payment-declined"),
        (an_order("PIXELFAB", ("BRG-6204", 1), payment="on_account"), "payment-declined"),
        (an_order("PIXELFAB", ("BRG-6204", 1), card_token="card_declined"), "payment-declined"),
        (an_order("ACME", ("BRG-6204", 1), channel_order_id="CO-404"), "not-found"),
    ],
)
def test_a_refusal_ends_rejected_with_everything_undone(desk: Desk, order: NewOrder, problem: str) -> None:
    rejected = desk.place(order)

    assert (rejected.status, rejected.stage, rejected.problem) == ("rejected", "rejected", problem)
    assert rejected.reason
    assert desk.do(left_over(desk.world, rejected)) == []
    told = [entry for entry in desk.timeline(rejected) if entry.step != "write_back_end"]  # a channel that isn't there
    assert told[-1].outcome == "rejected"


def test_a_declined_card_gives_the_stock_back(desk: Desk) -> None:
    before = desk.do(desk.world.erp.get_availability("BRG-6204")).available

    order = desk.place(an_order("BRICOLO", ("BRG-6204", 7), card_token="card_insufficient_funds"))

    outcomes = {entry.step: entry.outcome for entry in desk.timeline(order)}
    assert outcomes["reserve_stock"] == "done"
    assert outcomes["authorise_payment"] == "refused"
    assert outcomes["undo:authorise_payment"] == "nothing_to_undo"
    assert outcomes["undo:reserve_stock"] == "undone"
    assert desk.do(desk.world.erp.get_availability("BRG-6204")).available == before


def test_agreed_prices_go_before_the_accounts_own(desk: Desk) -> None:
    line = NewAgreedOrderLine(
        sku="BRG-6204", quantity=10, agreed_price=UnitPrice(Money(1000, "EUR")), agreed_discount_bp=2_500
    )
    agreed = NewAgreedOrder(account_id="ACME", reference="IS-7", lines=(line,))

    async def place() -> Order:
        with desk.world.calling("agreed", wait_s=10):
            return await desk.world.orders.place_agreed_order(agreed)

    order = desk.do(place())
    assert (order.status, order.channel, order.net) == ("completed", "inside_sales", Money(7500, "EUR"))


def test_a_channel_hears_how_its_order_ended(desk: Desk) -> None:
    home = Address(name="Ada", street="Weg 1", city="Kiel", country="DE")

    async def channel_order(reference: str) -> str:
        items = await desk.world.commerce.list_items(channel="web_shop", query=None, after=None, limit=1)
        line = NewChannelOrderLine(sku=items[0].sku, quantity=1, unit_price=UnitPrice(items[0].price))
        draft = NewChannelOrder(channel="web_shop", account_id="ACME", lines=(line,), ship_to=home)
        return (await desk.world.commerce.create_channel_order(draft, reference)).channel_order_id

    good, bad = desk.do(channel_order("C-1")), desk.do(channel_order("C-2"))
    done = desk.place(an_order("ACME", ("BRG-6204", 1), channel_order_id=good))
    refused = desk.place(an_order("ACME", ("NO-SUCH-THING", 1), channel_order_id=bad))

    async def status(channel_order_id: str) -> tuple[str, str]:
        found = await desk.world.commerce.get_channel_order(channel_order_id)
        return found.status, found.order_id

    assert desk.do(status(good)) == ("completed", done.order_id)
    assert desk.do(status_in_time(desk, bad, "rejected")) == ("rejected", refused.order_id)


async def status_in_time(desk: Desk, channel_order_id: str, wanted: str) -> tuple[str, str]:
    """The channel is told after the order is known to be rejected."""
    async with asyncio.timeout(30):
        while True:
            found = await desk.world.commerce.get_channel_order(channel_order_id)
            if found.status == wanted:
                return found.status, found.order_id
            await asyncio.sleep(0.01)


def test_one_key_makes_one_order(desk: Desk) -> None:
    order = an_order("ACME", ("BRG-6204", 1))

    async def storm() -> set[str]:
        placed = await asyncio.gather(*(desk.world.place("again", order) for _ in range(20)))
        return {one.order_id for one in placed}

    assert len(desk.do(storm())) == 1
    with pytest.raises(IdempotencyKeyReused):
        desk.place(an_order("ACME", ("BRG-6204", 2)), key="again")


def test_orders_are_listed_newest_first_by_filter_and_page(desk: Desk) -> None:
    placed = [desk.place(an_order("NORDLUFT", ("BRG-6204", 1))).order_id for _ in range(3)]

    first = desk.call("list_orders", account_id="NORDLUFT", status="completed", limit=2)
    assert [one.order_id for one in first.items] == placed[:0:-1]
    rest = desk.call("list_orders", account_id="NORDLUFT", status="completed", limit=2, cursor=first.next_cursor)
    assert [one.order_id for one in rest.items] == placed[:1]
    assert rest.next_cursor is None
    newest = first.items[0].updated_at
    assert len(desk.call("list_orders", account_id="NORDLUFT", updated_since=newest).items) == 1
    assert desk.call("list_orders", account_id="NORDLUFT", reference="PO-2").items == ()


def test_a_caller_lists_its_own_orders_without_naming_its_account(desk: Desk) -> None:
    own = desk.place(an_order("LIONET", ("BRG-6204", 1)))
    desk.place(an_order("ACME", ("BRG-6204", 1)))

    page = desk.call("list_orders", accounts=Accounts(ids=("LIONET",)))
    assert [one.order_id for one in page.items] == [own.order_id]
    tree = desk.call("list_orders", accounts=Accounts(ids=("ACME",), reach="subtree"))
    assert {one.account_id for one in tree.items} == {"ACME"}
    with pytest.raises(NotFound):
        desk.call("get_order", own.order_id, accounts=Accounts(ids=("ACME",)))


def test_what_has_left_is_not_cancelled(desk: Desk) -> None:
    order = desk.place(an_order("ACME", ("BRG-6204", 1)))

    with pytest.raises(AlreadyShipped):
        desk.call("cancel_order", order.order_id, OrderCancellation(account_id="ACME"), key="cancel-1")
    with pytest.raises(NotFound):
        desk.call("cancel_order", order.order_id, OrderCancellation(account_id="LIONET"), key="cancel-2")
    with pytest.raises(NotFound):
        desk.call("cancel_order", "ord-none", OrderCancellation(account_id="ACME"), key="cancel-3")
