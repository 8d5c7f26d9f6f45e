"""The Northwind sample through the whole gateway: loaded, its 400 orders placed by inside sales at their own prices.

What must come of them is calculated apart, in ``northwind_expectation``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.clients import Client
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import ROOT, Gateway, running
from tests.journeys.ledgers import discrepancies, read_ledgers
from tests.journeys.northwind_expectation import (
    Expectation,
    Order,
    ample_stock,
    expect,
    given_stock,
    quarantined_customers,
)

NORTHWIND = ROOT.parent / "shared" / "data" / "northwind"
AGREED_ORDERS = "/process/order-to-fulfillment/v1/agreed-orders"
ORDERS = "/process/order-to-fulfillment/v1/orders"
AT_ONCE = 8

pytestmark = [
    pytest.mark.skipif(not NORTHWIND.exists(), reason="the Northwind sample is not beside the repository"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of one's own, with the sample loaded."""
    with running(tmp_path, "co-located", CONFIGURATION) as it:
        load(it)
        yield it


def load(gateway: Gateway) -> str:
    """What ``tiergate load`` says, beside the gateway that serves."""
    [process] = gateway.processes
    done = process.command("load", str(NORTHWIND))
    assert done.returncode == 0, done.stderr
    return done.stdout


def body(order: Order) -> dict[str, Any]:
    """The order as inside sales places it."""
    lines = [
        {
            "sku": line.product_id,
            "quantity": line.quantity,
            "agreed_price": {"amount": {"amount_minor": int(line.unit_price * 100), "currency": "USD"}, "per": 1},
            "agreed_discount_bp": line.discount_bp,
        }
        for line in order.lines
    ]
    return {"account_id": order.customer_id, "reference": f"NW-{order.order_id}", "lines": lines}


def place(inside_sales: Client, order: Order) -> Any:
    """Place an order and follow it to its end."""
    answer = inside_sales.post(
        AGREED_ORDERS, body(order), key=f"northwind-{order.order_id}", headers={"Prefer": "wait=20"}
    )
    assert answer.status_code == 202, (order.order_id, answer.text)
    assert answer.headers["location"].startswith(ORDERS)
    return inside_sales.ended(answer.json()["order_id"], ORDERS)


def check_totals(expected: Expectation, ended: dict[str, Any]) -> None:
    """Every completed order's invoice is right to the cent."""
    totals = {order.order_id: order.total_cents for order in expected.orders}
    found = {
        number: order["total"]["amount_minor"] for number, order in ended.items() if order["status"] == "completed"
    }
    assert found == {number: totals[number] for number in found}


def stock_left(gateway: Gateway) -> dict[str, int]:
    """All units of the sample's products."""
    on_hand = read_ledgers(gateway.home).on_hand
    return {sku: on_hand[sku] for sku in given_stock(NORTHWIND)}


def test_it_loads_and_keeps_out_exactly_what_is_wrong(gateway: Gateway) -> None:
    [quarantine] = (gateway.home / "quarantine").glob("*.csv")
    with quarantine.open(newline="", encoding="utf-8") as file:
        kept_out = list(csv.DictReader(file))
    faulty = quarantined_customers(NORTHWIND)
    assert {(fault["file"], fault["row"].partition(",")[0].strip()) for fault in kept_out} == {
        ("customers.csv", customer) for customer in faulty
    }
    assert stock_left(gateway) == given_stock(NORTHWIND)
    assert counts(load(gateway)) == {
        "products": {"rows": 77, "unchanged": 77},
        "stock": {"rows": 77, "unchanged": 77},
        "accounts": {"rows": 93, "unchanged": 91, "quarantined": 2},
        "terms": {"rows": 91, "unchanged": 91},
    }, "a second load changes nothing"
    assert stock_left(gateway) == given_stock(NORTHWIND)


def counts(said: str) -> dict[str, dict[str, int]]:
    """The table that a load ends with, without its noughts."""
    header, *lines = said.split("\n\n")[0].splitlines()
    names = [name.lower() for name in header.split()[1:]]
    return {
        line.split()[0]: {name: int(count) for name, count in zip(names, line.split()[1:], strict=True) if count != "0"}
        for line in lines
    }


def test_with_the_stock_given_orders_are_filled_as_far_as_it_reaches(gateway: Gateway) -> None:
    expected = expect(NORTHWIND, given_stock(NORTHWIND))
    inside_sales = Client(gateway, "inside-sales")
    ended = {order.order_id: place(inside_sales, order) for order in expected.orders}
    completed = tuple(number for number, order in ended.items() if order["status"] == "completed")
    assert completed == expected.completed
    short = tuple(number for number, order in ended.items() if order["problem"] == "insufficient-stock")
    assert short == expected.short
    assert stock_left(gateway) == expected.left
    check_totals(expected, ended)
    assert discrepancies(read_ledgers(gateway.home), ended.values()) == []


def test_with_ample_stock_every_order_completes_and_is_invoiced_to_the_cent(gateway: Gateway) -> None:
    stock = ample_stock(NORTHWIND)
    expected = expect(NORTHWIND, stock)
    warehouse_clerk = Client(gateway, "system-demo")
    for sku, on_hand in stock.items():
        answer = warehouse_clerk.put(f"/system/erp/v1/inventory/NW1/{sku}", {"on_hand": on_hand})
        assert answer.status_code == 200, answer.text
    inside_sales = Client(gateway, "inside-sales")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = dict(
            zip(
                [order.order_id for order in expected.orders],
                pool.map(lambda order: place(inside_sales, order), expected.orders),
                strict=True,
            )
        )
    clean = {order.order_id for order in expected.orders} - expected.rejected
    assert {number for number, order in ended.items() if order["status"] == "completed"} == clean
    check_totals(expected, ended)
    assert stock_left(gateway) == expected.left
    assert discrepancies(read_ledgers(gateway.home), ended.values()) == []
