"""Totals are exact: parts are together the whole, whatever the split."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.erp.connectors.embedded.totals import part_of, tax_on
from system_apis.erp.documents import NewSalesOrder, NewSalesOrderLine


@given(st.integers(0, 10**12), st.lists(st.integers(1, 500), min_size=1, max_size=12))
def test_the_parts_of_a_line_are_the_line(net: int, quantities: list[int]) -> None:
    whole, done, done_net = sum(quantities), 0, 0
    for quantity in quantities:
        part = part_of(net, whole, done, done_net, quantity)
        assert part >= 0
        done, done_net = done + quantity, done_net + part
    assert done_net == net


def test_tax_is_rounded_once_for_each_rate() -> None:
    assert tax_on([(13, 1_900), (13, 1_900), (10, 700)]) == 5 + 1  # 4.94 and 0.7; by line it were 2 + 2 + 1
    assert tax_on([]) == 0


def line(net: int, currency: str = "EUR") -> NewSalesOrderLine:
    price = UnitPrice(Money(4_999, currency), 1000)
    return NewSalesOrderLine(sku="A", quantity=333, unit_price=price, discount_bp=500, net=Money(net, currency))


def test_a_line_with_a_wrong_net_cannot_be_made() -> None:
    assert line(1_581).net.amount_minor == 1_581  # 4999 × 333 × 0.95 / 1000 = 1581.43
    with pytest.raises(ValueError, match="net must be 1581 EUR"):
        line(1_582)
    with pytest.raises(msgspec.ValidationError, match="net must be"):
        msgspec.json.decode(msgspec.json.encode(line(1_581)).replace(b"1581", b"1580"), type=NewSalesOrderLine)


def test_an_order_has_one_currency() -> None:
    with pytest.raises(ValueError, match="order's currency EUR"):
        NewSalesOrder(
            account_id="A",
            customer_reference="P",
            currency="EUR",
            lines=(line(1_581, "USD"),),
            ship_to=Address(name="n", street="s", city="c", country="DE"),
        )
