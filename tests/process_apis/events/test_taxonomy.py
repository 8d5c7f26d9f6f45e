"""The taxonomy: kinds are well shaped, have schemas, and never change once they are published."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from governance.contract import ContractError
from governance.contract.checks import immutable
from process_apis.events import taxonomy
from process_apis.events.kind import KINDS, happened, kind, of_record
from process_apis.events.schemas import documents, export
from process_apis.events.taxonomy.invoice import InvoicePosted
from system_apis.canonical.values import Money

taxonomy.load()
WORDS = {word for word, _ in KINDS}
AGREED = """
    quote.sent quote.accepted order.accepted order.approved order.amended order.rejected order.cancelled
    order.completed credit.approved inventory.allocated inventory.backordered shipment.created
    shipment.dispatched shipment.delayed shipment.delivered invoice.posted invoice.overdue payment.captured
    payment.refunded return.initiated return.received return.credited price.changed stock.changed
    exception.opened exception.settled
"""


def test_every_agreed_kind_is_there_and_all_are_immutable() -> None:
    assert set(AGREED.split()) - WORDS == set()
    for struct in KINDS.values():
        immutable(struct.__name__, struct, request=False)


def test_an_event_knows_its_kind() -> None:
    data = InvoicePosted(invoice_id="INV-1", account_id="ACME", sales_order_id="SO-1", total=Money(100, "EUR"))
    event = happened(data, subject="ord-1", account_id="ACME", source_id=of_record(data, "INV-1"))
    assert (event.type, event.version, event.source_id) == ("invoice.posted", 1, "invoice.posted:INV-1")


def test_a_badly_shaped_kind_is_refused() -> None:
    class Thawed(Struct):
        """It is not frozen."""

    class Frozen(Struct, frozen=True):
        """It is well shaped."""

    for word, struct in (("order", Frozen), ("Order.accepted", Frozen), ("test.thawed", Thawed)):
        with pytest.raises(ContractError):
            kind(word)(struct)
    with pytest.raises(ContractError, match=r"order\.accepted version 1 is"):
        kind("order.accepted")(Frozen)


def test_every_kind_has_a_schema_that_describes_it() -> None:
    for path, body in documents().items():
        schema = msgspec.json.decode(body)
        assert path.startswith(schema["title"])
        struct = schema["$defs"][schema["$ref"].rpartition("/")[2]]
        assert struct["description"] and struct["required"], path


def test_a_published_schema_is_written_once_and_kept(tmp_path: Path) -> None:
    assert {one.reason for one in export(tmp_path)} == {"is missing"}
    assert export(tmp_path, check=True) == ()
    changed = tmp_path / "events" / "stock.changed" / "v1.json"
    schema = msgspec.json.decode(changed.read_bytes())
    schema["$defs"]["StockChanged"]["properties"]["available"]["type"] = "number"
    changed.write_bytes(before := msgspec.json.encode(schema))
    with pytest.raises(ContractError, match=r"v1\.json: is published and can't change: make the next version"):
        export(tmp_path)
    assert changed.read_bytes() == before


def test_only_the_words_of_a_published_schema_may_be_mended(tmp_path: Path) -> None:
    export(tmp_path)
    path = tmp_path / "events" / "stock.changed" / "v1.json"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"to sell than before", b"to sell than it had"))
    assert [one.reason for one in export(tmp_path)] == ["describes its kind in other words"]
    assert path.read_bytes() == kept
    (tmp_path / "events" / "stock.changed" / "v9.json").write_bytes(kept)
    with pytest.raises(ContractError, match=r"v9\.json: is published, and its kind is gone"):
        export(tmp_path, check=True)
