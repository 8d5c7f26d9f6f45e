"""The independent calculation itself, on orders small enough to check by hand, and against the sample."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.journeys.northwind_expectation import Line, ample_stock, expect, given_stock, quarantined_customers

NORTHWIND = Path(__file__).parents[3] / "shared" / "data" / "northwind"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "customers.csv").write_text("customer_id,address,city,country\nA,Street 1,Town,UK\nB ,,,\n")
    (tmp_path / "products.csv").write_text("product_id,units_in_stock\n1,10\n2,5\n")
    (tmp_path / "orders.csv").write_text("order_id,customer_id,ship_city\n12,A,Town\n11,A,Town\n13,B,\n14,A,Town\n")
    (tmp_path / "order_lines.csv").write_text(
        "order_id,product_id,unit_price_usd,quantity,discount\n"
        "11,1,9.99,6,0.15\n12,1,1,5,0.0\n12,2,1,1,0.0\n13,2,1,5,0.0\n14,1,0.5,3,0.05\n14,1,0.5,1,0.0\n"
    )
    return tmp_path


def test_orders_are_filled_whole_in_the_order_of_their_numbers(folder: Path) -> None:
    expected = expect(folder, given_stock(folder))
    assert expected.completed == ("11", "14")
    assert expected.short == ("12",)
    assert expected.rejected == {"13"}
    assert expected.left == {"1": 0, "2": 5}
    assert {order.order_id: order.total_cents for order in expected.orders} == {
        "11": 5095, "12": 600, "13": 500, "14": 193,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("price", "quantity", "discount", "amount"),
    [("0.01", 1, "0.5", "0.01"), ("0.05", 1, "0.1", "0.05"), ("0.05", 1, "0.15", "0.04"), ("2.01", 5, "0.25", "7.54")],
)
def test_lines_are_rounded_half_up(price: str, quantity: int, discount: str, amount: str) -> None:
    assert Line("1", quantity, Decimal(price), Decimal(discount)).amount == Decimal(amount)


@pytest.mark.skipif(not NORTHWIND.exists(), reason="the Northwind sample is not beside the repository")
def test_the_sample() -> None:
    assert quarantined_customers(NORTHWIND) == {"Val2", "VALON"}
    given = expect(NORTHWIND, given_stock(NORTHWIND))
    assert len(given.orders) == 400
    assert len(given.completed) + len(given.short) + len(given.rejected) == 400
    assert min(given.left.values()) >= 0
    ample = expect(NORTHWIND, ample_stock(NORTHWIND))
    assert (len(ample.completed), ample.short, ample.rejected) == (400, (), frozenset())
    assert next(order.total_cents for order in ample.orders if order.order_id == "10248") == 44_000
