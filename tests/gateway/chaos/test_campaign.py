"""A short run is clean, and every fault that is planted in what it left is found."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.chaos.campaign import Campaign, Result, carry_out
from gateway.chaos.drive import Pulse
from gateway.chaos.killing import Toll
from gateway.chaos.ledgers import read_ledgers
from gateway.chaos.own_state import read_own_state
from gateway.chaos.schedule import Run
from gateway.chaos.summary import rows
from gateway.chaos.verdict import Evidence, findings

pytestmark = pytest.mark.timeout(300)  # whichever test comes first waits for the run
CAMPAIGN = Campaign(run=Run(seed=1214, orders=30, kills=3, processes=1), failing=0.1, lost=0.05, settle_s=120)
CERTAIN = 0
"""The order that faults are planted at: nothing that it meets keeps it from being completed, by card and in one piece."""
PLANTED: dict[str, tuple[str, str, str]] = {
    "a second invoice": (
        "erp",
        "INSERT INTO invoices SELECT (SELECT max(key) + 1 FROM invoices), 'again', fingerprint, sales_order, account_id,"
        " status, currency, net, tax, total, paid, credited, on_account, issued_at, due_on FROM invoices WHERE sales_order ="
        " (SELECT key FROM sales_orders WHERE customer_reference = :reference);"
        "INSERT INTO invoice_lines SELECT (SELECT max(key) FROM invoices), line_no, sku, quantity, net, tax_rate_bp"
        " FROM invoice_lines WHERE invoice = (SELECT min(i.key) FROM invoices i JOIN sales_orders o ON o.key = i.sales_order"
        " WHERE o.customer_reference = :reference) LIMIT 1",
        "was invoiced, not",
    ),
    "a leaked reservation": (
        "erp",
        "UPDATE reservations SET status = 'held' WHERE key = (SELECT min(key) FROM reservations WHERE status = 'released')",
        "still holds",
    ),
    "stock that went away": (
        "erp",
        "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'BRG-6204' AND warehouse = 'HAM'",
        "is on hand, and",
    ),
    "goods that left the books twice": (
        "erp",
        "UPDATE allocations SET quantity = quantity + 1 WHERE reservation = "
        "(SELECT min(key) FROM reservations WHERE status = 'consumed' AND key NOT IN"
        " (SELECT reservation FROM settled_parts WHERE outcome = 'released')) AND position = 0",
        "left the warehouses",
    ),
    "an exposure that is too high": ("erp", "UPDATE terms SET exposure = exposure + 1 WHERE account_id = 'ACME'", "open"),
    "a second order in the ERP": (
        "erp",
        "INSERT INTO sales_orders SELECT (SELECT max(key) + 1 FROM sales_orders), 'again', fingerprint, account_id,"
        " status, currency, net, tax, total, uninvoiced, prepaid, ship_to, customer_reference, posted_at"
        " FROM sales_orders WHERE customer_reference = :reference",
        "the ERP has 2 orders",
    ),
    "an order of nobody": (
        "erp",
        "INSERT INTO sales_orders SELECT (SELECT max(key) + 1 FROM sales_orders), 'new', fingerprint, account_id,"
        " status, currency, net, tax, total, uninvoiced, prepaid, ship_to, 'nobody', posted_at"
        " FROM sales_orders WHERE customer_reference = :reference",
        "belongs to no order",
    ),
    "a payment that was not captured": (
        "payments",
        "UPDATE payment SET captured_minor = 0 WHERE order_reference = :order AND captured_minor > 0",
        "payments took",
    ),
    "a shipment that was not sent": (
        "logistics",
        "UPDATE shipment SET status = 'cancelled' WHERE seq ="
        " (SELECT min(seq) FROM shipment WHERE order_reference = :order AND status <> 'cancelled')",
        "was sent, not",
    ),
    "a sales person who was told twice": (
        "crm",
        "INSERT INTO activity (number, record) SELECT (SELECT max(number) + 1 FROM activity),"
        " json_set(record, '$.activity_id', 'again') FROM activity WHERE json_extract(record, '$.kind') = 'order_completed'"
        " AND json_extract(record, '$.subject_id') = :order",
        "sales was told 2 times",
    ),
    "a flow that never ends": ("own", "UPDATE flows SET ended = 0 WHERE flow_id = :order AND ended", "flow has not ended"),
    "a flow that the engine gave up": (
        "own",
        "UPDATE workflow_status SET status = 'ERROR' WHERE workflow_uuid ="
        " (SELECT min(workflow_uuid) FROM workflow_status WHERE status = 'SUCCESS')",
        "gave it up",
    ),
    "a lost event": (
        "own",
        "DELETE FROM events WHERE position = (SELECT min(position) FROM events"
        " WHERE type = 'inventory.allocated' AND subject = :order)",
        "have the sequence",
    ),
    "an end that was not announced": (
        "own",
        "DELETE FROM events WHERE position = (SELECT position FROM events"
        " WHERE type = 'order.completed' AND subject = :order)",
        "0 events order.completed",
    ),
    "an invoice that was not announced": (
        "own",
        "UPDATE events SET type = 'x' , source_id = 'x' WHERE position ="
        " (SELECT min(position) FROM events WHERE type = 'invoice.posted')",
        "was announced 0 times",
    ),
    "an exception that waits": (
        "own",
        "INSERT INTO exceptions (exception_id, flow_id, flow, account_id, queue, step, kind, problem, reason, evidence,"
        " choices, status, assignee, opened_us, updated_us, due_us, settlement) SELECT 'e', flow_id, flow, account_id,"
        " 'orders', 'invoice', 'refusal', 'p', 'r', '{}', '[]', 'open', '', 0, 0, 0, '' FROM flows WHERE flow_id = :order",
        "an exception waits",
    ),
}  # fmt: skip
FILES = {"own": "tiergate.sqlite"}


class Silent:
    """Nobody who watches."""

    def stage(self, name: str) -> None: ...

    def moved(self, pulse: Pulse, toll: Toll) -> None: ...


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Evidence]:
    folder = tmp_path_factory.mktemp("chaos")
    return (folder / "var", *asyncio.run(carry_out(CAMPAIGN, Silent(), folder)))


@pytest.mark.timeout(300)
def test_a_short_run_is_clean(ran: tuple[Path, Result, Evidence]) -> None:
    _, result, evidence = ran
    assert result.findings == ()
    assert (evidence.tales[CERTAIN].wish.buyer, evidence.tales[CERTAIN].wish.manner) == ("by card", "plain")
    twins = [tale.twin_id for tale in evidence.tales if tale.twin_id]
    assert twins
    assert evidence.supplied
    quoted = [tale for tale in evidence.quotes if tale.last["status"] == "closed"]
    assert 0 < len(quoted) < len(evidence.quotes)
    more = len(twins) + len(quoted)
    assert sum(result.orders_by_end.values()) == len(evidence.tales) + more == 30 + more
    assert {"completed", "rejected"} <= set(result.orders_by_end)
    assert result.toll.kills.total() == 3
    assert sum(result.faults.values()) > 0
    assert f"{30 + more}: " in dict(rows(result))["Orders"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", sorted(PLANTED))
def test_a_planted_fault_is_found(ran: tuple[Path, Result, Evidence], tmp_path: Path, fault: str) -> None:
    home, _, evidence = ran
    file, statements, sentence = PLANTED[fault]
    copy = tmp_path / "var"
    copy.mkdir()
    shutil.copytree(home / "systems", copy / "systems")
    shutil.copytree(home / "audit", copy / "audit")
    for part in home.glob("tiergate.sqlite*"):
        shutil.copy(part, copy / part.name)
    of = {"order": next(iter(evidence.tales[CERTAIN].order_ids)), "reference": evidence.tales[CERTAIN].wish.reference}
    with closing(sqlite3.connect(copy / FILES.get(file, f"systems/{file}.sqlite"))) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements.split(";"):
            assert connection.execute(statement, of).rowcount == 1, "nothing was planted"
    spoilt = replace(evidence, after=read_ledgers(copy), own=read_own_state(copy, ""))
    found = findings(spoilt)
    assert any(sentence in finding.sentence for finding in found), found


def test_a_line_that_was_cut_out_of_the_audit_is_found(ran: tuple[Path, Result, Evidence], tmp_path: Path) -> None:
    home, _, evidence = ran
    copy = Path(shutil.copytree(home, tmp_path / "var", ignore=shutil.ignore_patterns("*.sock")))
    longest = max((copy / "audit").rglob("*.jsonl"), key=lambda file: file.stat().st_size)
    lines = longest.read_bytes().splitlines(keepends=True)
    longest.write_bytes(b"".join(lines[:2] + lines[3:]))
    spoilt = replace(evidence, own=read_own_state(copy, ""))
    assert any("the audit is not whole" in finding.sentence for finding in findings(spoilt))


def test_what_clients_saw_is_held_against_what_is_there(ran: tuple[Path, Result, Evidence]) -> None:
    _, _, evidence = ran
    (certain,) = evidence.tales[CERTAIN].order_ids
    first = next(order for order in evidence.orders if order["order_id"] == certain)
    others = [order for order in evidence.orders if order is not first]
    missing = replace(evidence, orders=others)
    assert any(finding.sentence.endswith("is not there") for finding in findings(missing))
    stuck = replace(evidence, orders=[{**first, "status": "confirmed"}, *others])
    assert any("has not ended" in finding.sentence for finding in findings(stuck))
    stranger = replace(evidence, orders=[*evidence.orders, {**first, "order_id": "ord-new", "reference": "new"}])
    assert any("no client was told of" in finding.sentence for finding in findings(stranger))
    tale = evidence.tales[0]
    doubled = replace(evidence, tales=[replace(tale, order_ids={*tale.order_ids, "ord-new"}), *evidence.tales[1:]])
    assert any("its key made 2 orders" in finding.sentence for finding in findings(doubled))
    promised = [replace(one, cancelled_answer="cancelled") for one in evidence.tales]
    assert any("told that it is cancelled" in one.sentence for one in findings(replace(evidence, tales=promised)))
    assert any("unexpected" in one.sentence for one in findings(replace(evidence, unexpected=["a line"])))
    unmarked = [{**order, "duplicate_of": None} for order in evidence.orders]
    assert any("not marked" in one.sentence for one in findings(replace(evidence, orders=unmarked)))
    undelivered = replace(evidence, supplied=Counter())
    assert any("is on hand, and" in one.sentence for one in findings(undelivered))
    closed = next(one for one in evidence.returns if one["status"] == "closed")
    refused = replace(evidence, refused_returns=frozenset({closed["return_id"]}))
    assert any("its return" in one.sentence for one in findings(refused))
