"""The verdict: whether the ledgers of all systems hold exactly what the orders account for.

Every order is completed with its goods sent, invoiced and, by card, paid once; or it is rejected or
cancelled and no system holds anything of it. All sums agree with what they sum up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from msgspec import Struct

from gateway.chaos.announced import event_faults
from gateway.chaos.drive import ENDED, Tale
from gateway.chaos.ledgers import Ledgers, Payment, SalesOrder, Shipment
from gateway.chaos.own_state import OwnState
from gateway.chaos.quotes import QuoteTale, quote_faults
from gateway.chaos.wishes import CANCELLED

T = TypeVar("T")
Key = TypeVar("Key")
Order = Mapping[str, Any]
"""An order as the API shows it."""


class Finding(Struct, frozen=True):
    """Something that is wrong; ``order_id`` is empty where it concerns no single order."""

    order_id: str
    sentence: str


class Evidence(Struct, frozen=True, kw_only=True):
    """What the verdict is made of."""

    tales: Sequence[Tale]
    orders: Sequence[Order]
    before: Ledgers
    after: Ledgers
    own: OwnState
    returns: Sequence[Order] = ()
    refused_returns: frozenset[str] = frozenset()
    """Those that somebody said no to."""
    supplied: Counter[str] = Counter()
    """How many of each product came in."""
    quotes: Sequence[QuoteTale] = ()
    unexpected: Sequence[str] = ()
    """Lines of the log about what should never happen."""


def findings(evidence: Evidence) -> list[Finding]:
    """Everything that is wrong."""
    orders = {order["order_id"]: str(order["status"]) for order in evidence.orders}
    return list(
        chain(
            _of_clients(evidence),
            _of_orders(evidence),
            _strangers(evidence),
            _of_returns(evidence),
            (Finding(subject, sentence) for subject, sentence in quote_faults(evidence.quotes, evidence.orders)),
            _of_stock(evidence),
            _of_sums(evidence.after),
            _of_flows(evidence),
            (Finding(subject, sentence) for subject, sentence in event_faults(evidence.own, evidence.after, orders)),
            (Finding("", f"the audit is not whole: {line}") for line in evidence.own.audit),
            (Finding("", f"logged as unexpected: {line}") for line in evidence.unexpected),
        )
    )


def _of_clients(evidence: Evidence) -> Iterator[Finding]:
    known = {order["order_id"]: order for order in evidence.orders}
    for tale in evidence.tales:
        wish, ids = tale.wish, sorted(tale.order_ids)
        name = f"order {wish.number} ({wish.buyer}, {wish.manner})"
        for answer in tale.strange:
            yield Finding(ids[0] if ids else "", f"{name}: {answer}")
        if len(ids) != 1:
            yield Finding(ids[0] if ids else "", f"{name}: its key made {len(ids)} orders: {', '.join(ids) or 'none'}")
            continue
        order = known.get(ids[0])
        if order is None:
            yield Finding(ids[0], f"{name} was accepted and is not there")
            continue
        status = order["status"]
        if status in ENDED and status not in wish.ends:
            yield Finding(ids[0], f"{name} ended {status}, not {' or '.join(sorted(wish.ends))}: {order.get('reason')}")
        if tale.cancelled_answer == CANCELLED != status:
            yield Finding(ids[0], f"{name}: its client was told that it is cancelled, and it is {status}")
        if tale.amended and status == "completed" and order["lines"][0]["quantity"] != wish.amended_quantity:
            yield Finding(ids[0], f"{name}: its client was told that it is amended, and it is not")
        if tale.twin_id and known.get(tale.twin_id, {}).get("duplicate_of") != ids[0]:
            yield Finding(tale.twin_id, f"looks like {ids[0]}, and is not there or not marked")
        if tale.status in ENDED and tale.status != status:
            yield Finding(ids[0], f"{name} had ended {tale.status} and is {status} now")


def _of_orders(evidence: Evidence) -> Iterator[Finding]:
    after = evidence.after
    posted = _grouped(after.orders, lambda one: (one.account_id, one.customer_reference))
    whose = {order["sales_order_id"]: order["order_id"] for order in evidence.orders if order.get("sales_order_id")}
    paid = _grouped(after.payments, lambda one: one.order_id)
    sent = _grouped(after.shipments, lambda one: one.order_id)
    for order in evidence.orders:
        order_id, status = order["order_id"], order["status"]
        if status not in ENDED:
            yield Finding(order_id, f"has not ended: {status}, {order.get('stage')}: {order.get('reason')}")
            continue
        documents = (
            [
                one
                for one in posted[order["account_id"], order["reference"]]
                if one.status != "cancelled" and whose.get(one.sales_order_id, order_id) == order_id
            ],
            [one for one in sent[order_id] if one.status != "cancelled"],
            [one for one in paid[order_id] if not one.voided],
        )
        check = _completed if status == "completed" else _sent_back if order.get("return_ids") else _undone
        told = after.completed_activities[order_id]
        if told != (status == "completed"):
            yield Finding(order_id, f"is {status}, and sales was told {told} times that it is completed")
        yield from (Finding(order_id, f"is {status}, and {sentence}") for sentence in check(order, *documents))
        yield from _of_channel(order, after.channel_words.get(order_id, ()))


def _undone(_: Order, posted: Sequence[SalesOrder], sent: Sequence[Shipment], paid: Sequence[Payment]) -> Iterator[str]:
    if posted:
        yield f"the ERP has {len(posted)} orders of it"
    if sent:
        yield f"{len(sent)} shipments of it were not cancelled"
    if paid:
        yield f"{len(paid)} payments of it were not voided"


def _sent_back(
    order: Order, posted: Sequence[SalesOrder], sent: Sequence[Shipment], paid: Sequence[Payment]
) -> Iterator[str]:
    """It was cancelled when part of it had left: that part is invoiced, and comes back."""
    if len(posted) != 1:
        yield f"the ERP has {len(posted)} orders of it"
        return
    yield from _billed(order, posted[0], sent, paid, _sum(one.quantities for one in sent))


def _completed(
    order: Order, posted: Sequence[SalesOrder], sent: Sequence[Shipment], paid: Sequence[Payment]
) -> Iterator[str]:
    wanted: Counter[str] = Counter()
    for line in order["lines"]:
        wanted[line["sku"]] += line["quantity"]
    if len(posted) != 1:
        yield f"the ERP has {len(posted)} orders of it"
        return
    if posted[0].quantities != wanted:
        yield f"the ERP's order is for {dict(posted[0].quantities)}, not {dict(wanted)}"
    if _sum(one.quantities for one in sent) != wanted:
        yield f"{dict(_sum(one.quantities for one in sent))} was sent, not {dict(wanted)}"
    yield from _billed(order, posted[0], sent, paid, wanted)
    invoiced = sum(one.total for one in posted[0].invoices)
    if invoiced != order["total"]["amount_minor"]:
        yield f"{invoiced} was invoiced, not {order['total']['amount_minor']}"


def _billed(
    order: Order, posted: SalesOrder, sent: Sequence[Shipment], paid: Sequence[Payment], wanted: Counter[str]
) -> Iterator[str]:
    """What was sent is invoiced once and, by card, paid once, apart from what was given back for returns."""
    invoices = posted.invoices
    if _sum(one.quantities for one in invoices) != wanted:
        yield f"{dict(_sum(one.quantities for one in invoices))} was invoiced, not {dict(wanted)}"
    if len(invoices) != len(sent):
        yield f"it has {len(invoices)} invoices for {len(sent)} shipments"
    invoiced = sum(one.total for one in invoices)
    by_card, at_once = order["payment"] == "card", order["payment"] in ("card", "prepaid")
    captured = [(one.captured, one.captures, one.refunded) for one in paid]
    right = [(invoiced, invoiced, posted.to_refund)] if by_card else []
    if captured != right:
        yield f"payments took, moved and gave back {captured}, and {right} is right"
    settled = sum(one.paid for one in invoices)
    if settled != (invoiced if at_once else 0):
        yield f"{settled} of its invoices is paid, not {invoiced if at_once else 0}"


def _of_channel(order: Order, words: Sequence[str]) -> Iterator[Finding]:
    wanted = [order["status"]] if order.get("channel_order_id") else []
    if sorted(words) != wanted:
        yield Finding(order["order_id"], f"is {order['status']}, and its channel was told {list(words)}")


def _strangers(evidence: Evidence) -> Iterator[Finding]:
    after = evidence.after
    ids = {order["order_id"] for order in evidence.orders}
    accepted = {order_id for tale in evidence.tales for order_id in (*tale.order_ids, tale.twin_id)}
    accepted |= {tale.last.get("order_id") or "" for tale in evidence.quotes}
    references = {(order["account_id"], order["reference"]) for order in evidence.orders}
    for order_id in sorted(ids - accepted):
        yield Finding(order_id, "is an order that no client was told of")
    for one in after.orders[len(evidence.before.orders) :]:
        if one.status != "cancelled" and (one.account_id, one.customer_reference) not in references:
            yield Finding("", f"the ERP's order {one.key} of {one.account_id} belongs to no order")
    for order_id in sorted({one.order_id for one in after.payments if not one.voided} - ids):
        yield Finding(order_id, "has a payment, and is no order")
    for order_id in sorted({one.order_id for one in after.shipments if one.status != "cancelled"} - ids):
        yield Finding(order_id, "has a shipment, and is no order")


def _of_returns(evidence: Evidence) -> Iterator[Finding]:
    known = {one["return_id"]: one for one in evidence.returns}
    for tale in evidence.tales:
        if tale.return_id and tale.return_id not in known:
            yield Finding(next(iter(tale.order_ids)), f"its return {tale.return_id} was accepted and is not there")
    wanted = {tale.return_id for tale in evidence.tales if tale.return_id}
    wanted |= {return_id for order in evidence.orders for return_id in order.get("return_ids") or ()}
    for return_id, one in known.items():
        if one["status"] != ("rejected" if return_id in evidence.refused_returns else "closed"):
            yield Finding(one["order_id"], f"its return {return_id} has not ended: {one['status']}, {one['stage']}")
        if return_id not in wanted:
            yield Finding(one["order_id"], f"has return {return_id}, of which nobody was told")


def _of_stock(evidence: Evidence) -> Iterator[Finding]:
    before, after = evidence.before, evidence.after
    for one in after.reservations:
        if one.status == "held":
            yield Finding("", f"reservation {one.reference} of {one.account_id} still holds {dict(one.quantities)}")
    consumed = _sum(one.issued for one in after.reservations)
    sent = _sum(one.quantities for one in after.shipments if one.status != "cancelled")
    for sku in sorted(set(consumed) | set(sent)):
        if consumed[sku] != sent[sku]:
            yield Finding("", f"{consumed[sku]} of {sku} left the books and {sent[sku]} left the warehouses")
    for sku, had in sorted(before.on_hand.items()):
        due = had + evidence.supplied[sku] - consumed[sku] + after.restocked[sku]
        if after.on_hand[sku] != due:
            yield Finding("", f"{after.on_hand[sku]} of {sku} is on hand, and {due} should be")
        if after.reserved[sku]:
            yield Finding("", f"{after.reserved[sku]} of {sku} is still kept as reserved")


def _of_sums(after: Ledgers) -> Iterator[Finding]:
    for one in after.exposures:
        if one.kept != one.open:
            yield Finding("", f"the exposure of {one.account_id} is kept as {one.kept}, and {one.open} is open")
    for payment in after.payments:
        if payment.captured != payment.captures:
            yield Finding(payment.order_id, f"captured {payment.captured}, in movements of {payment.captures}")


def _of_flows(evidence: Evidence) -> Iterator[Finding]:
    own = evidence.own
    yield from (Finding(flow_id, "its flow has not ended") for flow_id in own.unended)
    for order_id in sorted({order["order_id"] for order in evidence.orders} - own.flow_ids):
        yield Finding(order_id, "has no flow")
    yield from (Finding(line.split()[0], f"the workflow engine still has it: {line}") for line in own.engine_left)
    yield from (Finding(line.split()[0], f"the workflow engine gave it up: {line}") for line in own.engine_failed)
    yield from (Finding(line.split(":")[0], f"an exception waits for somebody: {line}") for line in own.exceptions)


def _grouped(records: Iterable[T], key: Callable[[T], Key]) -> defaultdict[Key, list[T]]:
    found: defaultdict[Key, list[T]] = defaultdict(list)
    for record in records:
        found[key(record)].append(record)
    return found


def _sum(parts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total
