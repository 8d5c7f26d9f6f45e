"""A warehouse that gives up a shipment after the pivot: people see it, work on it from the command line, and settle it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.journeys.clients import DEMO, Client, an_order
from tests.journeys.gateways import Gateway, eventually, running

SLOW_WAREHOUSE = """
[systems.logistics.settings]
pick_after_s = 0
dispatch_after_s = 3600
deliver_after_s = 3600
"""
EXCEPTIONS = "/process/exceptions/v1/exceptions"
TIMELINES = "/process/timeline/v1/timelines"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("exceptions"), "co-located", SLOW_WAREHOUSE) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def desk(gateway: Gateway) -> Client:
    assert "operations-demo" in DEMO
    return Client(gateway, "operations-demo")


def given_up(gateway: Gateway, reference: str) -> Any:
    """An order whose warehouse cancelled its shipment."""
    order = Client(gateway, "portal-demo").place(an_order(reference, ("BRG-6204", 2)), wait_s=0.1)
    systems = Client(gateway, "system-demo")

    def shipment() -> Any:
        found = systems.read("/system/logistics/v1/shipments", order_reference=order["order_id"])["items"]
        return found[0] if found else None

    reference = eventually("the shipment is released", shipment)["reference"]
    cancelled = systems.post(f"/system/logistics/v1/shipments/{reference}/cancel", {"account_id": "ACME"})
    assert cancelled.json()["outcome"] == "cancelled", cancelled.text
    return order


def stuck(desk: Client, order: Any, *, but: str = "") -> Any:
    """The open exception of an order, another than ``but``."""

    def look() -> Any:
        found = desk.read(EXCEPTIONS, flow_id=order["order_id"])["items"]
        return next((one for one in found if one["exception_id"] != but), None)

    return eventually("the order is stuck", look)


def on_hand(gateway: Gateway) -> Any:
    return Client(gateway, "system-demo").read("/system/erp/v1/availability/BRG-6204")["available"]


def test_a_shipment_that_was_given_up_is_seen_worked_on_and_settled(gateway: Gateway, desk: Client) -> None:
    before = on_hand(gateway)
    order = given_up(gateway, "PO-GIVEN-UP")
    command = gateway.process("process").command
    found = stuck(desk, order)
    assert (found["step"], found["queue"], found["choices"]) == ("await_dispatch", "stock", ["retry", "cancel"])
    exception_id = found["exception_id"]

    listed = command("exceptions", "list", "--queue", "stock")
    assert exception_id in listed.stdout, listed.stderr
    assert command("exceptions", "assign", exception_id, "jana").stdout.strip() == f"{exception_id} is with jana."
    assert command("exceptions", "comment", exception_id, "They have none left.").returncode == 0
    shown = command("exceptions", "show", exception_id).stdout
    assert "The warehouse cancelled shipment" in shown
    assert "commented by operations-demo: They have none left." in shown

    stale = command("exceptions", "settle", exception_id, "cancel", "--reason", "no goods", "--yes", "--revision", "0")
    assert (stale.returncode, "look at it again" in stale.stderr) == (1, True)
    wrong = command("exceptions", "settle", exception_id, "skip", "--reason", "no goods", "--yes")
    assert (wrong.returncode, wrong.stderr.strip()) == (
        2, "tiergate: await_dispatch can't be settled by skip; open are: retry, cancel.",
    )  # fmt: skip

    retried = command("exceptions", "settle", exception_id, "retry", "--reason", "they look again", "--yes")
    assert "is settled by retry" in retried.stdout, retried.stderr
    again = stuck(desk, order, but=exception_id)
    done = command("exceptions", "settle", again["exception_id"], "cancel", "--reason", "no goods", "--yes")
    assert done.returncode == 0, done.stderr

    ended = Client(gateway, "portal-demo").ended(order["order_id"])
    assert (ended["status"], on_hand(gateway)) == ("cancelled", before)
    told = command("trace", "PO-GIVEN-UP")
    assert "cancelled after" in told.stdout, told.stdout + told.stderr
    timeline = desk.read(f"{TIMELINES}/{order['order_id']}")
    assert [(one["status"], one["choice"]) for one in timeline["exceptions"]] == [
        ("settled", "retry"), ("settled", "cancel"),
    ]  # fmt: skip
    said = [one["type"] for one in timeline["events"] if one["type"].startswith("exception.")]
    assert said == ["exception.opened", "exception.settled"] * 2
    audited = command("audit", "list", "--operation", "exceptions.*", "--outcome", "ok").stdout
    assert audited.count("exceptions.v1.settle_exception") == 2


def test_many_are_settled_from_the_command_line_after_a_look(gateway: Gateway, desk: Client) -> None:
    orders = [given_up(gateway, f"PO-MANY-{number}") for number in range(2)]
    for order in orders:
        stuck(desk, order)
    command = gateway.process("process").command
    arguments = ("exceptions", "settle-all", "stock", "cancel", "--reason", "the warehouse burnt down")
    shown = command(*arguments)
    assert "Nothing was done. Add --do to do it." in shown.stdout, shown.stderr
    assert all(order["order_id"] in shown.stdout for order in orders)
    done = command(*arguments, "--do")
    assert done.stdout.count("settled") == 2, done.stdout
    for order in orders:
        assert Client(gateway, "portal-demo").ended(order["order_id"])["status"] == "cancelled"


def test_a_process_is_told_by_the_key_of_its_request(gateway: Gateway) -> None:
    Client(gateway, "portal-demo").place(an_order("PO-KEYED", ("BRG-6204", 1)), key="a-key-of-mine", wait_s=0.1)
    told = gateway.process("process").command("trace", "a-key-of-mine", "--calls")
    assert "reference PO-KEYED" in told.stdout, told.stderr
    assert "erp.v1 reserve_stock: done" in told.stdout
    nothing = gateway.process("process").command("trace", "no-such-key")
    assert nothing.returncode == 1
    assert "No process is known by no-such-key." in nothing.stderr


def test_the_page_shows_what_is_stuck_to_this_machine(gateway: Gateway, desk: Client) -> None:
    order = given_up(gateway, "PO-PAGE")
    found = stuck(desk, order)
    page = httpx2.get(f"{gateway.url()}/operations")
    assert page.status_code == 200, page.text
    assert found["exception_id"] in page.text
    assert order["order_id"] in page.text
