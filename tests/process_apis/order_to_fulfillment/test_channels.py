"""Channels: declared one file each, and each holds its orders to rules of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from order_world import World, an_order

from process_apis.order_to_fulfillment.channels import channel_of, channels
from process_apis.order_to_fulfillment.v1.model import Channel, NewOrder, Order
from system_apis.canonical.refusals import ChannelRefused
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.commerce.drafts import NewChannelOrder, NewChannelOrderLine


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, World]]:
    with asyncio.Runner() as runner:
        world = runner.run(World(tmp_path_factory.mktemp("channels")).__aenter__())
        yield runner, world
        runner.run(world.__aexit__())


def test_every_channel_of_the_contract_is_declared_under_its_name() -> None:
    assert set(channels()) == set(get_args(Channel))
    assert all(channel.name == name for name, channel in channels().items())
    assert channel_of("gone").name == "portal"


def test_inside_sales_goes_before_everybody_and_nobody_goes_twice_as_late() -> None:
    priorities = {name: channel.priority for name, channel in channels().items()}
    assert min(priorities, key=priorities.__getitem__) == "inside_sales"
    assert all(1 <= priority <= 9 for priority in priorities.values())


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (an_order("ACME", ("BRG-6204", 1), channel="marketplace_north"), "channel_order_id"),
        (an_order("ACME", ("BRG-6204", 1), channel="marketplace_south"), "channel_order_id"),
        (
            an_order(
                "ACME", ("BRG-6204", 1), channel="marketplace_north", channel_order_id="CO-1", payment="on_account"
            ),
            "payment",
        ),
        (an_order("ACME", ("BRG-6204", 1), channel="partner", reference="urgent"), "reference"),
        (an_order("ACME", ("BRG-6204", 1), channel="partner", reference="P1"), "reference"),
    ],
)
def test_an_order_that_breaks_its_channels_rule_is_refused_at_once(desk: Any, order: NewOrder, field: str) -> None:
    runner, world = desk
    with pytest.raises(ChannelRefused) as refused:
        runner.run(world.place(f"rule-{field}-{order.channel}-{order.reference}", order))
    assert (refused.value.channel, refused.value.field) == (order.channel, field)
    assert refused.value.detail


@pytest.mark.parametrize("channel", ["portal", "partner", "inside_sales", "web_shop"])
def test_a_channel_takes_an_order_that_keeps_its_rules(desk: Any, channel: str) -> None:
    runner, world = desk
    wanted = an_order("STADTWERKE", ("BRG-6204", 1), channel=channel, reference=f"PO-{channel}-1")
    order = runner.run(world.place(f"kept-{channel}", wanted))
    assert (order.status, order.channel, order.payment) == ("completed", channel, "on_account")


async def sold_on(world: World, channel: Any, account_id: str, reference: str) -> str:
    """A channel's own order of one ball bearing."""
    home = Address(name="Ada", street="Rue 1", city="Lyon", country="FR")
    item = (await world.commerce.list_items(channel=channel, query=None, after=None, limit=1))[0]
    line = NewChannelOrderLine(sku=item.sku, quantity=1, unit_price=UnitPrice(item.price))
    draft = NewChannelOrder(channel=channel, account_id=account_id, lines=(line,), ship_to=home)
    return (await world.commerce.create_channel_order(draft, reference)).channel_order_id


def test_an_order_of_a_marketplace_is_paid_by_the_marketplace(desk: Any) -> None:
    runner, world = desk

    async def scenario() -> tuple[Order, Any, Any]:
        sold = await sold_on(world, "marketplace_north", "PIXELFAB", "MN-1")
        home = Address(name="Ada", street="Rue 1", city="Lyon", country="FR")
        wanted = an_order(
            "PIXELFAB",
            ("BRG-6204", 2),
            channel="marketplace_north",
            channel_order_id=sold,
            reference="MN-1",
            ship_to=home,
        )
        order = await world.place("market", wanted)
        money = [one for one in await world.payments.ledger() if one.order_reference == order.order_id]
        return order, money, await world.erp.get_invoice(order.invoice_ids[0])

    order, money, invoice = runner.run(scenario())
    assert (order.status, order.payment) == ("completed", "prepaid")
    assert money == [], "no card of ours is charged"
    assert invoice.status == "paid"
    assert order.net == Money(950, "EUR")
    assert order.tax == Money(190, "EUR"), "20 % as in France, where the goods go"


def test_consumers_of_the_shop_pay_the_tax_of_their_country_and_companies_that_of_their_terms(desk: Any) -> None:
    runner, world = desk
    home = Address(name="Ada", street="Rue 1", city="Lyon", country="FR")

    def taxed(channel: str) -> Money | None:
        wanted = an_order("STADTWERKE", ("BRG-6204", 10), channel=channel, ship_to=home, reference=f"PO-TAX-{channel}")
        return runner.run(world.place(f"tax-{channel}", wanted)).tax

    net = 10 * 475 * 9 // 10
    assert taxed("portal") == Money((net * 1900 + 5000) // 10000, "EUR")
    assert taxed("web_shop") == Money((net * 2000 + 5000) // 10000, "EUR")
