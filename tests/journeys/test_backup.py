"""A backup taken in the middle of orders: what it holds goes on elsewhere as if nothing had happened."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.clients import PORTAL, Client, an_order
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import Gateway, running
from tests.journeys.ledgers import discrepancies, read_ledgers

SLOW_WAREHOUSE = CONFIGURATION.replace("dispatch_after_s = 0", "dispatch_after_s = 0.3").replace(
    "deliver_after_s = 0", "deliver_after_s = 0.3"
)
ORDERS = 24


def ordering(gateway: Gateway) -> tuple[list[str], list[str]]:
    """Order without pause and back up meanwhile; the ids from before the backup, and all of them."""
    portal = Client(gateway, "stadtwerke")
    begun = threading.Event()
    placed: list[str] = []

    def order(number: int) -> None:
        placed.append(portal.place(an_order(f"PO-{number}", ("BRG-6201", 1)), wait_s=0)["order_id"])
        if len(placed) == ORDERS // 3:
            begun.set()

    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(order, number) for number in range(ORDERS)]
        assert begun.wait(30)
        before = list(placed)
        taken = gateway.process("system").command("backup", "taken.tar.gz")
        assert taken.returncode == 0, taken.stderr
        for one in sent:
            one.result()
    return before, placed


@pytest.mark.timeout(300)
def test_orders_of_a_backup_are_completed_where_it_is_restored(tmp_path: Path) -> None:
    (tmp_path / "lost").mkdir()
    (tmp_path / "new").mkdir()
    with running(tmp_path / "lost", "co-located", SLOW_WAREHOUSE) as gateway:
        before, placed = ordering(gateway)
        gateway.process("system").kill()  # with everything that it had
        gateway.start()
    archive = gateway.home.parent / "taken.tar.gz"
    with running(tmp_path / "new", "co-located", SLOW_WAREHOUSE) as gateway:
        gateway.stop()
        refused = gateway.process("system").command("restore", str(archive))
        assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
        restored = gateway.process("system").command("restore", "--replace", str(archive))
        assert restored.returncode == 0, restored.stderr
        gateway.start()
        portal = Client(gateway, "stadtwerke")
        known = [one["order_id"] for one in portal.read_all(f"{PORTAL}/orders")]
        assert set(before) <= set(known) <= set(placed)
        orders = [portal.ended(order_id) for order_id in known]
        assert {order["status"] for order in orders} == {"completed"}
        now = read_ledgers(gateway.home)
        assert discrepancies(now, orders) == []
        assert len(now.erp.orders) == len(known), "the ERP has an order that nobody knows"
