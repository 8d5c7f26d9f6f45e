"""The account of an order in a running gateway: complete, by reference, and whole after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.audit import AuditEntry, Filter, search
from tests.journeys.clients import PORTAL, Client, an_order
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import eventually, running


@pytest.mark.timeout(300)
def test_an_order_is_accounted_for_with_what_it_made_in_every_system(tmp_path: Path) -> None:
    with running(tmp_path, "co-located", CONFIGURATION) as gateway:
        audit = gateway.home / "audit"
        client = Client(gateway, "portal-demo")

        def entries(operation: str) -> list[AuditEntry]:
            return list(search(audit, Filter(operation=operation)))

        placed = client.post(f"{PORTAL}/orders", an_order("PO-AUDIT", ("BRG-6204", 5)), key="audited")
        assert placed.status_code == 202, placed.text
        (entry,) = entries("portal.*")
        assert (entry.client, entry.outcome, entry.idempotency) == ("portal-demo", "ok", "recorded")
        assert (entry.request_id, entry.records) == (placed.headers["request-id"], (placed.json()["order_id"],))

        gateway.processes[0].kill_and_restart()
        client.ended(placed.json()["order_id"])
        (made,) = eventually("the ERP's order is audited", lambda: entries("erp.v1.post_sales_order"))
        assert (made.binding, made.client, made.acting_api) == ("local", "portal-demo", "order_to_fulfillment.v1")

        again = client.post(f"{PORTAL}/orders", an_order("PO-AUDIT", ("BRG-6204", 5)), key="audited")
        assert again.status_code == 202
        assert entries("portal.*")[-1].idempotency == "replayed"

        reads = len(list(search(audit, Filter())))
        assert client.get(f"{PORTAL}/orders").status_code == 200
        assert len(list(search(audit, Filter()))) == reads
        verified = gateway.processes[0].command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
