"""Processes that run flows are killed; nothing is doubled, nothing is left over, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from order_world import World, run

from process_apis.flow import FlowSettings
from process_apis.order_to_fulfillment.v1.model import Order

SERVER = Path(__file__).with_name("order_server.py")
ROOT = Path(__file__).parents[3]


@contextmanager
def server(home: Path, prefix: str = "", count: int = 0, url: str = "") -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join([str(ROOT), str(SERVER.parent)])
    command = [sys.executable, str(SERVER), str(home), prefix, str(count), url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    found = [process.stdout.readline().strip() for _ in range(count)]
    assert all(found), "the process died"
    return found


async def ended(world: World, order_ids: list[str], within_s: float) -> list[Order]:
    """The orders once each of them is completed or rejected."""
    async with asyncio.timeout(within_s):
        while True:
            with world.calling():
                orders = [await world.orders.get_order(order_id) for order_id in order_ids]
            if all(order.status in ("completed", "rejected") for order in orders):
                return orders
            await asyncio.sleep(0.05)


async def discrepancies(world: World, orders: list[Order]) -> list[str]:
    """Everything in any system that the orders' own word does not account for."""
    erp = await world.erp.ledger()
    payments = await world.payments.ledger()
    shipments = await world.logistics.ledger()
    wrong = list(erp.discrepancies) + [f"doubled {key}" for key in erp.doubled()]
    wrong += [f"held {one.reference}" for one in erp.reservations if one.status == "held"]
    for order in orders:
        done = order.status == "completed"
        posted = [one for one in erp.orders if one.customer_reference == order.reference and one.status != "cancelled"]
        paid = [one for one in payments if one.order_reference == order.order_id and one.status != "voided"]
        sent = [one for one in shipments if one.order_reference == order.order_id and one.status != "cancelled"]
        if [one.invoices for one in posted] != ([len(order.shipment_ids)] if done else []):
            wrong.append(f"{order.order_id} {order.status}: ERP has {posted}")
        if [one.status for one in paid] != (["captured"] if done and order.payment == "card" else []):
            wrong.append(f"{order.order_id} {order.status}: payments has {paid}")
        if {one.shipment_id for one in sent} != set(order.shipment_ids if done else ()):
            wrong.append(f"{order.order_id} {order.status}: logistics has {sent}")
    consumed = sum(one.status == "consumed" for one in erp.reservations)
    if consumed != sum(order.status == "completed" for order in orders):
        wrong.append(f"{consumed} reservations were consumed")
    return wrong


@pytest.mark.timeout(300)
def test_orders_survive_kills_in_the_middle(tmp_path: Path) -> None:
    moments = random.Random(7)
    order_ids: list[str] = []
    for round_no in range(3):
        with server(tmp_path, f"r{round_no}-", 10) as process:
            order_ids += lines(process, 11)[1:]
            time.sleep(moments.uniform(0, 0.5))  # any moment will do: that is what is tested

    async def settle() -> tuple[list[Order], list[str]]:
        async with World(tmp_path) as world:
            orders = await ended(world, order_ids, 30)
            return orders, await discrepancies(world, orders)

    orders, wrong = run(settle())
    assert wrong == []
    completed = {order.account_id for order in orders if order.status == "completed"}
    assert completed == {"STADTWERKE", "PIXELFAB", "ACME"}
    assert {order.account_id for order in orders if order.status == "rejected"} == {"HOLDFAST", "BRICOLO"}


@pytest.mark.timeout(300)
def test_a_waiting_process_takes_over_from_a_dead_one(tmp_path: Path) -> None:
    with server(tmp_path, "t-", 5) as first:
        order_ids = lines(first, 6)[1:]
        with server(tmp_path) as second:
            assert lines(second, 1) == ["ready False"]
            first.kill()
            first.wait()

            async def watch() -> tuple[list[Order], list[str]]:
                async with World(tmp_path, settings=FlowSettings(home=tmp_path, run=False)) as world:
                    orders = await ended(world, order_ids, 15)
                    return orders, await discrepancies(world, orders)

            _, wrong = run(watch())
            assert wrong == []
