"""What a card was charged, less what went back to it, is what the customer kept: whatever came first, money or goods."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from governance.contract.refusals import SystemUnavailable
from system_apis.payments.port import PaymentFilter
from tests.process_apis.returns.orders_world import UNITS, WITH_ORDERS, become, ordered, sent_back, stocked
from tests.process_apis.world import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("money"), "verify", WITH_ORDERS) as world:
        yield world


@contextmanager
def away(world: World, operation: str) -> Generator[None]:
    """An operation of payments or the ERP can't be reached."""
    port: Any = world.payments if hasattr(world.payments, operation) else world.erp

    async def no_answer(*_: Any) -> Any:
        raise SystemUnavailable(detail="not now")

    there = getattr(port, operation)
    setattr(port, operation, no_answer)
    try:
        yield
    finally:
        setattr(port, operation, there)


@contextmanager
def lost(world: World, *operations: str) -> Generator[list[str]]:
    """The first two answers to each of these operations are lost; what was lost."""
    gone: list[str] = []

    def losing(name: str, there: Any) -> Any:
        async def no_answer(*given: Any) -> Any:
            answer = await there(*given)
            if gone.count(name) < 2:
                gone.append(name)
                raise SystemUnavailable(detail="the answer was lost")
            return answer

        return no_answer

    ports: dict[str, Any] = {
        name: world.payments if hasattr(world.payments, name) else world.erp for name in operations
    }
    kept = {name: getattr(port, name) for name, port in ports.items()}
    for name, port in ports.items():
        setattr(port, name, losing(name, kept[name]))
    try:
        yield gone
    finally:
        for name, port in ports.items():
            setattr(port, name, kept[name])


def charged(world: World, order: Any) -> tuple[int, int]:
    """What was taken from the card, and what went back to it."""
    found = world.run(world.payments.list_payments(PaymentFilter(order_reference=order["order_id"]), 0, 10))
    [(_, payment)] = found
    return payment.captured.amount_minor, payment.refunded.amount_minor


def owed(world: World, order: Any) -> list[tuple[int, int, int]]:
    """Total, paid and credited of each invoice of an order."""
    found = world.get("platform", "/system/erp/v1/invoices", sales_order_id=order["sales_order_id"])["items"]
    return [
        tuple(one[name]["amount_minor"] if one[name] else 0 for name in ("total", "paid", "credited"))  # type: ignore[misc]
        for one in found
    ]


@pytest.mark.parametrize("units", [2, UNITS])
@pytest.mark.parametrize("late", ["nothing", "capture", "pay_invoice"])
def test_who_returns_goods_has_paid_for_the_others_only(world: World, late: str, units: int) -> None:
    stocked(world, HAM=50)
    if late == "nothing":
        order = ordered(world, f"PO-{late}-{units}")
        order = become(world, order, lambda one: one["status"] == "completed")
        goods = sent_back(world, order, units)
    else:
        with away(world, late):
            order = ordered(world, f"PO-{late}-{units}")
            order = become(world, order, lambda one: one["invoice_ids"])
            goods = sent_back(world, order, units)
        assert goods["refunded"] is None, "nothing of it was paid yet"
        order = become(world, order, lambda one: one["status"] == "completed")
    credit, total = goods["credit"]["amount_minor"], order["total"]["amount_minor"]
    captured, refunded = charged(world, order)
    assert captured - refunded == total - credit
    assert (credit == total) == (units == UNITS)
    [(_, paid, credited)] = owed(world, order)
    assert (paid - (credit if late == "nothing" else 0), credited) == (total - credit, credit)


def test_the_later_part_of_an_order_is_paid_though_all_of_the_first_came_back(world: World) -> None:
    stocked(world, HAM=3, ROT=2)
    with away(world, "capture"):
        order = ordered(world, "PO-in-parts")
        order = become(world, order, lambda one: one["sales_order_id"] and owed(world, one))
        goods = sent_back(world, order, 2)
    order = become(world, order, lambda one: one["status"] == "completed")
    assert len(order["invoice_ids"]) == 2
    captured, refunded = charged(world, order)
    assert captured - refunded == order["total"]["amount_minor"] - goods["credit"]["amount_minor"]
    assert all(total == paid + credited for total, paid, credited in owed(world, order))


def test_what_goes_back_goes_back_once_though_answers_are_lost(world: World) -> None:
    stocked(world, HAM=50)
    with lost(world, "capture", "pay_invoice", "refund") as gone:
        with away(world, "capture"):
            order = become(world, ordered(world, "PO-lost"), lambda one: one["invoice_ids"])
            goods = sent_back(world, order, 2)
        order = become(world, order, lambda one: one["status"] == "completed")
    assert sorted(gone) == ["capture"] * 2 + ["pay_invoice"] * 2 + ["refund"] * 2
    credit, total = goods["credit"]["amount_minor"], order["total"]["amount_minor"]
    assert charged(world, order) == (total, credit)
    assert owed(world, order) == [(total, total - credit, credit)]
