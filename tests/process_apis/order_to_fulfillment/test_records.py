"""Orders that were kept by code from before orders had parts, and how goods become parts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from process_apis.order_to_fulfillment.book import OrderBook, decoded
from process_apis.order_to_fulfillment.parts import can_stop, given_up, goes_together, has_left, planned, with_part
from process_apis.order_to_fulfillment.record import Line, OrderRecord, PartLine, Taken
from process_apis.order_to_fulfillment.v1.showing import shown

NOW = datetime(2026, 1, 5, tzinfo=UTC)
OLD: dict[str, Any] = {
    "order_id": "ord-1",
    "account_id": "ACME",
    "reference": "PO-1",
    "channel": "portal",
    "lines": [{"line_no": 1, "sku": "A", "quantity": 3}, {"line_no": 2, "sku": "B", "quantity": 1}],
    "placed_at": "2026-01-05T00:00:00Z",
    "updated_at": "2026-01-05T00:00:00Z",
    "taken": [["A", "HAM", 3], ["B", "ROT", 1]],
}
SENT = {"sent": [["HAM", "SHP-1"], ["ROT", "SHP-2"]]}


def old(status: str, stage: str, **more: Any) -> OrderRecord:
    taken = [{"sku": sku, "warehouse": place, "quantity": number} for sku, place, number in OLD["taken"]]
    sent = [{"warehouse": place, "shipment_id": number} for place, number in more.pop("sent", [])]
    document = {**OLD, **more, "taken": taken, "sent": sent, "status": status, "stage": stage}
    return decoded(msgspec.json.encode(document))


@pytest.mark.parametrize(
    ("status", "stage", "more", "word", "left"),
    [
        ("allocated", "post_order", {}, "planned", False),
        ("confirmed", "await_dispatch", SENT, "released", False),
        ("shipped", "invoice", SENT, "dispatched", True),
        ("completed", "completed", {**SENT, "invoice_id": "INV-1"}, "dispatched", True),
    ],
)
def test_an_order_from_before_parts_goes_on_as_a_whole(
    status: str, stage: str, more: dict[str, Any], word: str, left: bool
) -> None:
    order = old(status, stage, **more)
    assert goes_together(order)
    assert [(part.warehouse, part.status, part.turn) for part in order.parts] == [("HAM", word, 1), ("ROT", word, 1)]
    assert (has_left(order), can_stop(order), order.missing) == (left, not left, ())
    seen = shown(order)
    assert seen.shipment_ids == tuple(number for _, number in more.get("sent", ()))
    assert seen.invoice_ids == ((more["invoice_id"],) if "invoice_id" in more else ())
    assert decoded(msgspec.json.encode(order)) == order, "what was brought up to date stays as it is"


def test_an_order_that_has_nothing_yet_stays_as_it_is() -> None:
    document = {**OLD, "taken": [], "status": "accepted", "stage": "check_account"}
    assert decoded(msgspec.json.encode(document)).parts == ()


def an_order(*quantities: tuple[str, int]) -> OrderRecord:
    lines = tuple(Line(line_no=number, sku=sku, quantity=n) for number, (sku, n) in enumerate(quantities, 1))
    return OrderRecord(
        order_id="ord-1", account_id="ACME", reference="PO-1", channel="portal", status="accepted", stage="accepted",
        lines=lines, placed_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_goods_become_one_part_a_warehouse_and_lines_are_served_in_their_order() -> None:
    order = an_order(("A", 2), ("B", 1), ("A", 3))
    parts = planned(order, [Taken("A", "ROT", 4), Taken("B", "HAM", 1)], 1)
    assert [(part.number, part.warehouse, part.lines) for part in parts] == [
        (1, "HAM", (PartLine(2, "B", 1),)),
        (2, "ROT", (PartLine(1, "A", 2), PartLine(3, "A", 2))),
    ]
    partly = replace(order, parts=parts)
    assert partly.missing == (PartLine(3, "A", 1),)
    [rest] = planned(partly, [Taken("A", "HAM", 1)], 2)
    assert (rest.number, rest.turn, rest.lines) == (3, 2, (PartLine(3, "A", 1),))
    assert replace(partly, parts=(*parts, rest)).missing == ()


def test_what_is_given_up_is_missing_no_more() -> None:
    order = an_order(("A", 2), ("B", 1))
    partly = replace(order, parts=planned(order, [Taken("A", "HAM", 2)], 1))
    rest = given_up(partly)
    assert [line.given_up for line in rest.lines] == [0, 1]
    assert rest.missing == ()
    assert given_up(rest) == rest
    assert can_stop(rest), "the part is still in its warehouse"
    assert not can_stop(with_part(rest, replace(rest.parts[0], status="dispatched")))


@pytest.mark.parametrize(
    ("status", "ending", "gone", "marked"),
    [
        ("shipped", "cancelled", False, "confirmed"),
        ("shipped", "", True, "shipped"),
        ("completed", "", True, "completed"),
        ("completed", "cancelled", True, "cancelled"),
        ("completed", "cancelled", False, "cancelled"),
    ],
)
def test_what_an_order_is_called_in_the_end(status: str, ending: Any, gone: bool, marked: str) -> None:
    order = an_order(("A", 2))
    [part] = planned(order, [Taken("A", "HAM", 2)], 1)
    part = replace(part, status="dispatched" if gone else "cancelled")
    state = replace(order, status="confirmed", parts=(part,), ending=ending, giving_up="off" if ending else "")
    done = OrderBook().mark(state, status, "completed", NOW)
    assert done.status == marked
    if marked == "cancelled":
        assert (done.reason, done.stage, done.card_token) == ("off", "cancelled", None)
