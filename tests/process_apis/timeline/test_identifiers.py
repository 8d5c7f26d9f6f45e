"""Which members of a flow's record are numbers that it is found by."""

from __future__ import annotations

from msgspec import Struct

from process_apis.timeline.identifiers import BusinessId, business_ids_of


class Part(Struct, frozen=True):
    shipment_id: str
    sku: str = "BRG-6204"


class Record(Struct, frozen=True):
    order_id: str
    account_id: str
    reference: str
    customer_reference: str
    invoice_ids: tuple[str, ...]
    parts: tuple[Part, ...]
    payment_id: str | None = None
    note: str = "call them"


def test_every_number_of_a_record_is_found_once_with_its_kind() -> None:
    record = Record(
        order_id="ord-1", account_id="ACME", reference="PO-1", customer_reference="C-1", invoice_ids=("I-1", "I-2"),
        parts=(Part("S-1"), Part("S-2"), Part("S-1")),
    )  # fmt: skip
    assert [(one.kind, one.value) for one in business_ids_of(record)] == [
        ("customer_reference", "C-1"),
        ("invoice", "I-1"),
        ("invoice", "I-2"),
        ("order", "ord-1"),
        ("reference", "PO-1"),
        ("shipment", "S-1"),
        ("shipment", "S-2"),
    ]


def test_what_can_be_no_number_is_left_out() -> None:
    record = Record(
        order_id="o" * 256, account_id="ACME", reference="", customer_reference="C", invoice_ids=(), parts=()
    )
    assert business_ids_of(record) == (BusinessId(kind="customer_reference", value="C"),)
