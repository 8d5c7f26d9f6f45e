"""What a return can't settle itself waits in a queue for people, and goes on as they decide."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from governance.contract.refusals import SystemUnavailable
from process_apis.flow.tables import exceptions
from process_apis.flow.trouble import Settlement
from process_apis.returns.flow import RETURNS
from system_apis.canonical.refusals import AmountExceeded, MessageRefused
from system_apis.erp.receivables import NewCreditMemo
from tests.process_apis.returns.returns_world import (
    BEARING,
    ask_back,
    came,
    eur,
    events_of,
    letter,
    letters,
    said,
    say,
    seen,
    sell,
)
from tests.process_apis.world import World


def money(cents: int) -> dict[str, object]:
    return {"amount_minor": cents, "currency": "EUR"}


def opened(world: World, return_id: str) -> Any:
    """The open exception of a return."""
    query = sa.select(exceptions).where(exceptions.c.flow_id == return_id, exceptions.c.status == "open")
    return world.run(world.flows.read(lambda connection: connection.execute(query).one()))


def settle(world: World, exception_id: str, choice: Any) -> bool:
    return world.run(world.flows.settle(exception_id, Settlement(choice=choice, reason="looked into", by="desk")))


def test_a_refund_that_is_refused_waits_for_people(world: World) -> None:
    sale = sell(world, card=True)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    said(world, goods["return_id"], "receive", came((BEARING, 3)))

    async def refused(*_: Any) -> Any:
        raise AmountExceeded(remaining=eur(0), requested=eur(3_570))

    refund, world.payments.refund = world.payments.refund, refused  # type: ignore[method-assign]
    try:
        say(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 3}]})
        goods = seen(world, goods, "on_hold")
    finally:
        world.payments.refund = refund  # type: ignore[method-assign]
    assert goods["problem"] == "amount-exceeded"
    found = opened(world, goods["return_id"])
    assert (found.queue, found.step, found.kind) == ("payments", "refund", "refusal")
    assert settle(world, found.exception_id, "retry")
    goods = seen(world, goods, "closed")
    payment = world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")
    assert payment["refunded"]["amount_minor"] == 3_570
    assert not settle(world, found.exception_id, "retry"), "it is settled once"
    assert events_of(world, sale.order_id)[-1] == "return.credited"


@pytest.mark.parametrize("before", [10_000, 16_660])
def test_credit_that_the_invoice_has_no_room_for_is_named_to_people(world: World, before: int) -> None:
    sale = sell(world, card=True)
    (invoice,) = world.get("platform", "/system/erp/v1/invoices", sales_order_id=sale.sales_order_id)["items"]
    goodwill = NewCreditMemo(account_id="ACME", invoice_id=invoice["invoice_id"], amount=eur(before))
    world.run(world.erp.post_credit_memo(goodwill, f"goodwill-{before}"))
    goods = ask_back(world, sale.wish((BEARING, 10)))
    said(world, goods["return_id"], "receive", came((BEARING, 10)))
    say(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 10}]})
    goods = seen(world, goods, "on_hold")
    left = 16_660 - before
    rest = 11_900 - left
    assert (goods["problem"], goods["credit"], goods["uncredited"]) == ("amount-exceeded", money(left), money(rest))
    assert f"{eur(rest)} of what was accepted" in goods["end_reason"]
    assert goods["refunded"] == (money(left) if left else None), "what was credited waits for nobody"
    found = opened(world, goods["return_id"])
    assert (found.queue, found.step) == ("invoices", "see_to_rest")
    assert settle(world, found.exception_id, "skip")
    goods = seen(world, goods, "closed")
    assert (goods["credit"], goods["uncredited"]) == (money(left), money(rest))
    payment = world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")
    assert payment["refunded"] == money(left)
    told = letter(world, goods["rma"], "return_credited" if left else "return_closed").text
    assert ("66,60" if left else "It was credited before.") in told


def test_a_reader_who_refuses_mail_stops_nothing(world: World) -> None:
    sale = sell(world)

    async def refused(*_: Any) -> Any:
        raise MessageRefused(code=550, detail="No such mailbox")

    send, world.notifications.send_message = world.notifications.send_message, refused  # type: ignore[method-assign]
    try:
        goods = ask_back(world, sale.wish((BEARING, 1)))
        said(world, goods["return_id"], "receive", came((BEARING, 1)))
        goods = said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 1}]})
    finally:
        world.notifications.send_message = send  # type: ignore[method-assign]
    assert goods["status"] == "closed"
    assert letters(world, goods["rma"]) == []
    entries = world.get("acme", f"/process/returns/v1/returns/{goods['return_id']}/timeline")["entries"]
    told = [(one["step"], one["outcome"], one["detail"]) for one in entries if one["operation"] == "send_message"]
    assert told == [
        ("tell_authorised", "refused", "No such mailbox"),
        ("close", "refused", "No such mailbox"),
    ]


def test_a_mail_system_that_is_away_keeps_no_goods_from_coming(world: World) -> None:
    sale = sell(world)

    async def away(*_: Any) -> Any:
        raise SystemUnavailable(detail="no mail today")

    send, world.notifications.send_message = world.notifications.send_message, away  # type: ignore[method-assign]
    try:
        goods = ask_back(world, sale.wish((BEARING, 1)))
        assert (goods["status"], goods["stage"]) == ("authorised", "tell_authorised")
        assert said(world, goods["return_id"], "receive", came((BEARING, 1)), wait_s=1)["status"] == "authorised"
        late = say(world, goods["return_id"], "cancel", {})
        assert (late.status_code, late.json()["state"]) == (409, "received"), "they are here, whatever the flow knows"
    finally:
        world.notifications.send_message = send  # type: ignore[method-assign]
    assert seen(world, goods, "received")["lines"][0]["received"] == 1
    assert letter(world, goods["rma"], "return_authorised").to == "katrin.vogel@acme-antrieb.example"


@pytest.mark.parametrize("step", ["inspect", "dispose", "credit"])
def test_stock_and_credit_are_not_skipped(step: str) -> None:
    assert {row.name: row.skippable for row in RETURNS.rows}[step] is False


def test_the_table_is_owned_by_the_returns_desk() -> None:
    assert RETURNS.queue == "returns"
    assert {row.queue for row in RETURNS.rows} == {"", "invoices", "payments"}
    assert [row.name for row in RETURNS.rows if row.pivot] == ["receive"]
