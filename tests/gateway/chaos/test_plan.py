"""Faults and kills are a pure function of the seed."""

from __future__ import annotations

from collections import Counter

from gateway.chaos.plan import Plan, chance
from gateway.chaos.schedule import Run, boundaries, kills, stops
from gateway.chaos.wishes import BUYERS, CANCELLED, COMPLETED, wish

PLAN = Plan(seed=7, failing=0.1, lost=0.05, slow=0.05, away=0.1)
RUN = Run(seed=7, orders=1_000, kills=200, processes=3, database_is_own=True)


def test_the_same_seed_meets_the_same_call_with_the_same_fault() -> None:
    calls = [("erp.reserve_stock", f"key-{number}", 0) for number in range(500)]
    faults = [PLAN.fault(*call) for call in calls]
    assert faults == [Plan(seed=7, failing=0.1, lost=0.05, slow=0.05, away=0.1).fault(*call) for call in calls]
    assert faults != [Plan(seed=8, failing=0.1, lost=0.05, slow=0.05, away=0.1).fault(*call) for call in calls]


def test_faults_come_as_often_as_the_plan_says() -> None:
    kinds: Counter[str] = Counter()
    for number in range(20_000):
        fault = PLAN.fault("payments.capture", str(number), 0)
        kinds[fault.kind if fault else "none"] += 1
    assert 1_850 < kinds["fails"] < 2_150
    assert 900 < kinds["lost"] + kinds["late"] < 1_100
    assert kinds["late"] > 150
    assert 900 < kinds["slow"] < 1_100


def test_a_call_that_is_made_again_may_get_through() -> None:
    assert len({PLAN.fault("erp.reserve_stock", "key", attempt) is None for attempt in range(50)}) == 2


def test_systems_are_away_for_stretches_of_their_own() -> None:
    away = [(system, PLAN.is_away(system, float(second))) for system in ("erp", "crm") for second in range(1_000)]
    counts = Counter(system for system, gone in away if gone)
    assert 50 < counts["erp"] < 160
    assert 50 < counts["crm"] < 160
    assert [gone for system, gone in away if system == "erp"] != [gone for system, gone in away if system == "crm"]
    assert not Plan(seed=7).is_away("erp", 5.0)


def test_chances_are_spread_evenly() -> None:
    tenths = Counter(int(chance(1, "x", number) * 10) for number in range(10_000))
    assert all(850 < tenths[tenth] < 1_150 for tenth in range(10))


def test_every_boundary_of_every_step_is_armed() -> None:
    planned = kills(RUN)
    assert len(planned) == 200
    assert {kill.boundary for kill in planned if kill.kind == "step"} == set(boundaries())
    assert {"reserve_stock.before", "undo.after", "write_back_end.before"} <= set(boundaries())
    assert {kill.kind for kill in planned} == {"step", "gateway", "worker", "store", "database"}


def test_kills_are_spread_over_the_orders_and_the_processes() -> None:
    planned = kills(RUN)
    moments = [kill.after_orders for kill in planned]
    assert moments == sorted(moments)
    assert moments[0] < 30
    assert 950 < moments[-1] < 1_000
    assert {kill.member for kill in planned} == {0, 1, 2}
    assert planned == kills(RUN) != kills(Run(seed=8, orders=1_000, kills=200, processes=3, database_is_own=True))


def test_some_processes_are_stopped_and_woken() -> None:
    assert len(stops(RUN)) == 20
    assert all(1 <= stop.seconds <= 5 for stop in stops(RUN))


def test_without_a_database_of_its_own_none_is_killed() -> None:
    assert "database" not in {kill.kind for kill in kills(Run(seed=7, orders=100, kills=50, processes=1))}


def test_wishes_are_of_every_kind_and_have_keys_of_their_own() -> None:
    wishes = [wish(3, number, 0.05) for number in range(1_000)]
    assert {one.buyer for one in wishes} == {buyer.name for buyer in BUYERS}
    usual = {"plain", "cut", "doubled", "repeated", "cancelled", "amended", "returned"}
    assert {one.manner for one in wishes} == {*usual, "again"}
    again = [one for one in wishes if one.manner == "again"]
    assert {one.is_flagged_again for one in again} == {True, False}
    assert all(one.ends == COMPLETED for one in again)  # what was given up may be ordered again
    assert len({one.scarce for one in wishes}) > 20
    assert len({one.key for one in wishes}) == len({one.reference for one in wishes}) == 1_000
    assert all((CANCELLED in one.ends) == (one.manner == "cancelled") for one in wishes)
    assert wishes == [wish(3, number, 0.05) for number in range(1_000)]
