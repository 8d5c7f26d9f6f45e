"""The hop log: bounded, and found by request id."""

from __future__ import annotations

from governance.telemetry.hops import CAPACITY, Hop, HopLog


def hop(request_id: str, started_s: float) -> Hop:
    return Hop(
        request_id=request_id, tier="system", operation="o", binding="local", caller="c", outcome="ok",
        started_s=started_s, duration_ms=1.0,
    )  # fmt: skip


def test_hops_come_in_the_order_in_which_they_began() -> None:
    log = HopLog()
    for started_s in (3.0, 1.0, 2.0):
        log.add(hop("r", started_s))
    log.add(hop("other", 0.0))
    assert [one.started_s for one in log.of("r")] == [1.0, 2.0, 3.0]
    assert log.of("nobody") == ()


def test_the_oldest_are_forgotten() -> None:
    log = HopLog()
    log.add(hop("first", 0.0))
    for number in range(CAPACITY):
        log.add(hop("later", number))
    assert log.of("first") == ()
    assert len(log.of("later")) == CAPACITY
