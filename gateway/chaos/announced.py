"""Whether everything that happened was announced: each event once, of each subject without a gap and in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gateway.chaos.ledgers import Ledgers
from gateway.chaos.own_state import KeptEvent, OwnState

ENDS = {"completed": "order.completed", "rejected": "order.rejected", "cancelled": "order.cancelled"}
Fault = tuple[str, str]
"""The subject and a sentence."""


def event_faults(own: OwnState, after: Ledgers, orders: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with the events; ``orders`` is order id to status."""
    if own.events is None:
        return
    of_subject: dict[str, list[KeptEvent]] = defaultdict(list)
    for event in own.events:
        of_subject[event.subject].append(event)
    for subject, events in sorted(of_subject.items()):
        numbers = [event.sequence for event in events]
        if numbers != list(range(1, len(events) + 1)):
            yield subject, f"its events have the sequence {numbers}"
    for order_id, status in orders.items():
        yield from ((order_id, sentence) for sentence in _of_order(of_subject[order_id], status))
    yield from _of_records(own.events, after, orders)


def _of_order(events: Sequence[KeptEvent], status: str) -> Iterator[str]:
    counts = Counter(event.type for event in events)
    if [event.type for event in events[:1]] != ["order.accepted"] or counts["order.accepted"] != 1:
        yield f"its events begin {[event.type for event in events[:1]]}, with {counts['order.accepted']} order.accepted"
    for end, kind in ENDS.items():
        if counts[kind] != (end == status):
            yield f"is {status}, and has {counts[kind]} events {kind}"


def _of_records(events: Sequence[KeptEvent], after: Ledgers, orders: Mapping[str, str]) -> Iterator[Fault]:
    told = Counter(event.source_id.rsplit(":", 1)[0] if event.type == "payment.captured" else event.source_id
                   for event in events)  # fmt: skip
    for order in after.orders:
        for invoice in order.invoices:
            if told[f"invoice.posted:{invoice.invoice_id}"] != 1:
                yield "", f"{invoice.invoice_id} was announced {told[f'invoice.posted:{invoice.invoice_id}']} times"
    for shipment in after.shipments:
        if shipment.status != "cancelled" and told[f"shipment.created:{shipment.shipment_id}"] != 1:
            times = told[f"shipment.created:{shipment.shipment_id}"]
            yield shipment.order_id, f"its shipment {shipment.shipment_id} was announced {times} times"
    for payment in after.payments:
        if payment.captured and payment.order_id in orders and not told[f"payment.captured:{payment.payment_id}"]:
            yield payment.order_id, f"the capture of {payment.payment_id} was not announced"
