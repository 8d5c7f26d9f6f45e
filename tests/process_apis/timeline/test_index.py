"""Flows found by the keys that clients sent, whichever tier they sent them to, and caught up part by part."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from governance.call import child_key
from governance.call.keys import edge_key
from process_apis.flow.initiator import Initiator
from process_apis.flow.tables import flows, timeline
from process_apis.flow.timeline import instant
from process_apis.timeline.index import BATCH, catch_up, find, forget, ids_of, keys_made_of
from process_apis.timeline.tables import indexed_flows

PLACE = "order_to_fulfillment.v1.place_order"
PORTAL = ("portal.v1.post_case", "portal.v1.place_order")


def started(connection: sa.Connection, flow_id: str, client_id: str, account: str, key: str, at_us: int = 0) -> None:
    """A flow as its acceptance leaves it."""
    initiator = Initiator(
        subject=client_id, client_id=client_id, operation_id=PLACE, at=instant(0), account_ids=(account,),
        idempotency_key=key,
    )  # fmt: skip
    row = {
        "flow_id": flow_id, "flow": "order_to_fulfillment", "account_id": account, "fingerprint": "", "key": flow_id,
        "initiator": msgspec.json.encode(initiator).decode(), "started_us": at_us,
    }  # fmt: skip
    accepted = {
        "flow_id": flow_id, "position": 0, "at_us": at_us, "step": "accept", "tier": "process", "api": "o", "operation": "o",
        "outcome": "accepted", "detail": "", "duration_ms": 0,
    }  # fmt: skip
    connection.execute(sa.insert(flows), row)
    connection.execute(sa.insert(timeline), accepted)


def found_by(connection: sa.Connection, sent: str, account_ids: tuple[str, ...] | None = None) -> list[str]:
    values = (sent, *keys_made_of(connection, sent, PORTAL))
    return [one.flow_id for one in find(connection, values, account_ids)]


def test_a_flow_is_found_by_the_key_that_its_client_sent(connection: sa.Connection) -> None:
    started(connection, "ord-1", "partner", "ACME", edge_key("partner", "ACME", PLACE, "k-1"))
    through_portal = child_key(edge_key("portal", "GLOBEX", PORTAL[1], "k-1"), PLACE, "1")
    started(connection, "ord-2", "portal", "GLOBEX", through_portal, 5)
    started(connection, "ord-3", "partner", "ACME", edge_key("partner", "ACME", PLACE, "k-2"))
    assert found_by(connection, "k-1") == []
    assert not catch_up(connection, {})
    assert found_by(connection, "k-1") == ["ord-2", "ord-1"]
    assert found_by(connection, "k-1", ("ACME",)) == ["ord-1"]
    assert found_by(connection, "k-3") == []


def test_many_are_caught_up_part_by_part_and_each_once(connection: sa.Connection) -> None:
    for number in range(BATCH + 20):
        started(connection, f"ord-{number}", "partner", f"A{number}", f"key-{number}")
    assert catch_up(connection, {})
    assert not catch_up(connection, {})
    assert found_by(connection, f"key-{BATCH + 19}") == [f"ord-{BATCH + 19}"]
    assert not catch_up(connection, {})


def test_a_flow_that_went_on_is_looked_through_again(connection: sa.Connection) -> None:
    started(connection, "ord-1", "partner", "ACME", "key-1")
    catch_up(connection, {})
    connection.execute(sa.text("DELETE FROM business_ids"))
    catch_up(connection, {})
    assert found_by(connection, "key-1") == []
    connection.execute(sa.update(flows).values(ended=True))
    catch_up(connection, {})
    assert found_by(connection, "key-1") == ["ord-1"]


def test_old_flows_are_forgotten_and_not_looked_through_again(connection: sa.Connection) -> None:
    for number in range(3):
        started(connection, f"ord-{number}", "partner", "ACME", f"key-{number}")
    for flow_id, ended_us in (("ord-0", 10), ("ord-1", 20)):
        this = sa.update(flows).where(flows.c.flow_id == flow_id)
        connection.execute(this.values(ended=True, ended_us=ended_us))
    assert not catch_up(connection, {})
    assert (forget(connection, 20), forget(connection, 20)) == (1, 0)
    connection.execute(sa.delete(timeline).where(timeline.c.flow_id == "ord-0"))
    assert not catch_up(connection, {})
    assert [found_by(connection, f"key-{number}") for number in range(3)] == [[], ["ord-1"], ["ord-2"]]
    assert ids_of(connection, "ord-0") == ()
    indexed = sa.select(indexed_flows.c.flow_id).order_by(indexed_flows.c.flow_id)
    assert list(connection.execute(indexed).scalars()) == ["ord-1", "ord-2"]
