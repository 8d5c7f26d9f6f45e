"""What the 400 Northwind orders must come to, calculated apart from the product.

Standard library only, and no import of Tiergate: CSV, ``decimal``, a dictionary of stock. Orders are
replayed by rising ``order_id``; an order is filled whole or not at all. A customer without an
address is rejected. A line is quantity x unit price x (1 - discount), rounded half-up to cents;
an invoice is the sum of its lines, without tax.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """One line as inside sales agreed it; ``discount`` is a fraction such as 0.15."""

    product_id: str
    quantity: int
    unit_price: Decimal
    discount: Decimal

    @property
    def amount(self) -> Decimal:
        """Dollars and cents."""
        return (self.quantity * self.unit_price * (1 - self.discount)).quantize(CENT, ROUND_HALF_UP)

    @property
    def discount_bp(self) -> int:
        """The agreed discount in hundredths of a per cent."""
        return _exactly(self.discount * 10_000)


@dataclass(frozen=True)
class Order:
    """One order with its lines in file order."""

    order_id: str
    customer_id: str
    ship_to: dict[str, str]
    lines: tuple[Line, ...]

    @property
    def total_cents(self) -> int:
        """What its invoice must come to, in cents."""
        return _exactly(sum((line.amount for line in self.lines), Decimal(0)) * 100)


@dataclass(frozen=True)
class Expectation:
    """How the orders end."""

    orders: tuple[Order, ...]
    """All of them, in the order of the replay."""
    rejected: frozenset[str]
    """Orders of customers in quarantine."""
    completed: tuple[str, ...]
    """What stock covers, in that order."""
    short: tuple[str, ...]
    """What it does not."""
    left: dict[str, int]
    """Stock after the replay, by product."""


def quarantined_customers(folder: Path) -> frozenset[str]:
    """Customers that can't be shipped to or billed: no address, no city or no country."""
    return frozenset(
        row["customer_id"].strip()
        for row in _rows(folder, "customers.csv")
        if not (row["address"].strip() and row["city"].strip() and row["country"].strip())
    )


def read_orders(folder: Path) -> tuple[Order, ...]:
    """Every order, by rising number."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for row in _rows(folder, "order_lines.csv"):
        lines[row["order_id"]].append(
            Line(row["product_id"], int(row["quantity"]), Decimal(row["unit_price_usd"]), Decimal(row["discount"]))
        )
    return tuple(
        Order(
            order_id=row["order_id"],
            customer_id=row["customer_id"].strip(),
            ship_to={name.removeprefix("ship_"): value for name, value in row.items() if name.startswith("ship_")},
            lines=tuple(lines[row["order_id"]]),
        )
        for row in sorted(_rows(folder, "orders.csv"), key=lambda row: int(row["order_id"]))
    )


def given_stock(folder: Path) -> dict[str, int]:
    """Stock as the sample gives it, by product."""
    return {row["product_id"]: int(row["units_in_stock"]) for row in _rows(folder, "products.csv")}


def ample_stock(folder: Path) -> dict[str, int]:
    """Stock that covers every order: what is given, plus all that is ordered."""
    stock = given_stock(folder)
    for order in read_orders(folder):
        for line in order.lines:
            stock[line.product_id] += line.quantity
    return stock


def expect(folder: Path, stock: dict[str, int]) -> Expectation:
    """Replay the orders against ``stock``, each whole or not at all."""
    orders, barred, left = read_orders(folder), quarantined_customers(folder), dict(stock)
    completed: list[str] = []
    short: list[str] = []
    for order in orders:
        if order.customer_id in barred:
            continue
        wanted: dict[str, int] = defaultdict(int)
        for line in order.lines:
            wanted[line.product_id] += line.quantity
        if all(left[product_id] >= quantity for product_id, quantity in wanted.items()):
            completed.append(order.order_id)
            for product_id, quantity in wanted.items():
                left[product_id] -= quantity
        else:
            short.append(order.order_id)
    rejected = frozenset(order.order_id for order in orders if order.customer_id in barred)
    return Expectation(orders, rejected, tuple(completed), tuple(short), left)


def _exactly(value: Decimal) -> int:
    if value != value.to_integral_value():
        raise ValueError(f"{value} is not whole")
    return int(value)


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
