"""One key sent many times at once, over two gateway processes that share home and stores."""

from __future__ import annotations

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx2
import pytest

from tests.journeys.clients import PORTAL, Client, an_order, problem
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import eventually, running
from tests.journeys.ledgers import discrepancies, read_ledgers

TIMES = 50
KEY = "the-same-for-all"


@pytest.mark.timeout(300)
def test_one_key_sent_fifty_times_over_two_gateways_makes_one_order(tmp_path: Path) -> None:
    body = an_order("PO-ONE", ("BRG-6204", 5))
    with running(tmp_path, "co-located", CONFIGURATION) as gateway:
        guest = gateway.join()
        callers = [Client(gateway, "portal-demo"), Client(gateway, "portal-demo", at=guest.url)]
        together = Barrier(TIMES)

        def send(number: int) -> httpx2.Response:
            together.wait(40)
            return callers[number % 2].post(f"{PORTAL}/orders", body, key=KEY)

        with ThreadPoolExecutor(TIMES) as crowd:
            answers = list(crowd.map(send, range(TIMES)))

        told = Counter(answer.status_code for answer in answers)
        assert set(told) <= {202, 409}, [answer.text for answer in answers if answer.status_code not in (202, 409)]
        assert told[202] >= 1
        for answer in answers:
            if answer.status_code == 409:
                assert problem(answer) == (409, "idempotency-key-in-flight")
                assert int(answer.headers["retry-after"]) >= 1

        def told_again(caller: Client) -> str:
            def ask() -> str | None:
                answer = caller.post(f"{PORTAL}/orders", body, key=KEY)
                return answer.json()["order_id"] if answer.status_code == 202 else None

            return eventually("the key's order is told", ask)

        named = {answer.json()["order_id"] for answer in answers if answer.status_code == 202}
        named |= {told_again(caller) for caller in callers}
        assert len(named) == 1

        order = callers[1].ended(named.pop())
        assert order["status"] == "completed"
        now = read_ledgers(gateway.home)
        assert discrepancies(now, [order]) == []
        assert [one.customer_reference for one in now.erp.orders] == ["PO-ONE"]
        assert len(now.shipments) == len(order["shipment_ids"])


def test_one_key_makes_one_order_even_when_the_store_has_lost_its_memory(tmp_path: Path) -> None:
    """The flow's id comes of the key, so the guarantee outlives the stored answers."""
    body = an_order("PO-ONE", ("BRG-6204", 5))
    with running(tmp_path, "co-located", CONFIGURATION) as gateway:
        first = Client(gateway, "portal-demo").place(body, key=KEY)
        gateway.process("system").stop()
        shutil.rmtree(gateway.home / "appendonlydir")
        gateway.start()
        portal = Client(gateway, "portal-demo")
        again = portal.post(f"{PORTAL}/orders", body, key=KEY)
        assert (again.status_code, again.json()["order_id"]) == (202, first["order_id"])
        assert "idempotency-replayed" not in again.headers, "the store knows nothing of it"
        other = portal.post(f"{PORTAL}/orders", {**body, "reference": "PO-TWO"}, key=KEY)
        assert problem(other) == (422, "idempotency-key-reused")
        now = read_ledgers(gateway.home)
        assert [one.customer_reference for one in now.erp.orders] == ["PO-ONE"]
        assert discrepancies(now, [portal.ended(first["order_id"])]) == []
