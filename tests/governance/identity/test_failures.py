"""The bucket of bad credentials per peer."""

from __future__ import annotations

from governance.call import ManualClock
from governance.identity import PeerFailures


def test_a_peer_may_fail_a_burst_and_then_waits(clock: ManualClock) -> None:
    failures = PeerFailures(clock, burst=3, per_second=0.5)
    for _ in range(3):
        assert failures.wait_s("a") == 0
        failures.record("a")
    assert failures.wait_s("a") == 2
    assert failures.wait_s("b") == 0
    clock.advance(1)
    assert failures.wait_s("a") == 1
    clock.advance(1)
    assert failures.wait_s("a") == 0
    failures.record("a")
    assert failures.wait_s("a") == 2


def test_all_is_forgiven_in_time(clock: ManualClock) -> None:
    failures = PeerFailures(clock, burst=3, per_second=1)
    for _ in range(3):
        failures.record("a")
    clock.advance(1_000)
    for _ in range(3):
        assert failures.wait_s("a") == 0
        failures.record("a")
    assert failures.wait_s("a") == 1


def test_the_number_of_peers_is_bounded(clock: ManualClock) -> None:
    failures = PeerFailures(clock, burst=1, per_second=1, peers=2)
    for peer in ("a", "b", "a", "c"):
        failures.record(peer)
    assert failures.wait_s("b") == 0, "b failed longest ago"
    assert failures.wait_s("a") > 0
    assert failures.wait_s("c") > 0


def test_a_host_that_changes_its_address_is_the_same_peer(clock: ManualClock) -> None:
    failures = PeerFailures(clock, burst=2, per_second=1)
    for last in range(2):
        assert failures.wait_s("2001:db8:0:1::ffff") == 0
        failures.record(f"2001:db8:0:1::{last}")
    assert failures.wait_s("2001:db8:0:1:9:9:9:9") > 0
    assert failures.wait_s("2001:db8:0:2::1") == 0
    failures.forget("2001:db8:0:1::7")
    assert failures.wait_s("2001:db8:0:1::1") == 0


def test_a_peer_that_knows_better_starts_anew() -> None:
    failures = PeerFailures(ManualClock(), burst=1, per_second=0.1)
    failures.record("a")
    failures.record("b")
    failures.forget("a")
    failures.forget("unknown")
    assert failures.wait_s("a") == 0
    assert failures.wait_s("b") == 10
