"""Stretches: where the time of a flow went, from what its timeline says."""

from __future__ import annotations

from process_apis.timeline.stretches import Entry, ended_as, stretches

MS = 1_000


def entry(
    position: int, at_ms: int, step: str, *, took_ms: int = 0, outcome: str = "done", api: str = "erp.v1"
) -> Entry:
    return Entry(
        position=position, at_us=at_ms * MS, step=step, tier="system", api=api, operation="call",
        outcome=outcome, duration_ms=took_ms,
    )  # fmt: skip


ORDER = (
    entry(0, 0, "accept", outcome="accepted"),
    entry(1_000, 40, "price", took_ms=10),
    entry(1_001, 55, "reserve_stock", took_ms=20, outcome="failed"),
    entry(1_002, 175, "reserve_stock", took_ms=30),
    entry(2_000, 210, "ship:HAM", took_ms=5),
    entry(2_001, 215, "ship:MUC", took_ms=5),
    entry(3_000, 225, "await_dispatch", took_ms=2),
    entry(3_001, 1_225, "invoice", took_ms=15),
    entry(3_002, 1_240, "completed", outcome="completed"),
)


def seen(entries: tuple[Entry, ...], **more: object) -> list[tuple[str, int, int, int]]:
    return [
        (one.step, one.elapsed_us // MS, one.working_us // MS, one.waiting_us // MS)
        for one in stretches(entries, **more)  # type: ignore[arg-type]
    ]


def test_a_stretch_lasts_until_the_next_begins() -> None:
    assert seen(ORDER) == [
        ("accept", 40, 0, 40),
        ("price", 15, 10, 5),
        ("reserve_stock", 155, 50, 105),
        ("ship", 15, 10, 5),
        ("await_dispatch", 1_000, 2, 998),
        ("invoice", 15, 15, 0),
        ("completed", 0, 0, 0),
    ]
    assert ended_as(ORDER) == "completed"


def test_calls_that_were_of_no_use_are_counted() -> None:
    assert {one.step: one.failures for one in stretches(ORDER) if one.failures} == {"reserve_stock": 1}


def test_the_last_stretch_of_a_flow_under_way_goes_on() -> None:
    waiting = stretches(ORDER[:7], stage="await_dispatch", now_us=500 * MS)
    assert (waiting[-1].step, waiting[-1].elapsed_us // MS, waiting[-1].outcome) == ("await_dispatch", 275, "under_way")


def test_a_step_that_has_nothing_to_show_yet_begins_where_the_last_ended() -> None:
    going = stretches(ORDER[:4], stage="ship", now_us=300 * MS)
    assert [one.step for one in going][-2:] == ["reserve_stock", "ship"]
    assert (going[-2].elapsed_us // MS, going[-1].elapsed_us // MS) == (150, 95)
    assert ended_as(ORDER[:4]) == ""


def test_a_wait_over_several_checkpoints_is_one_stretch() -> None:
    parked = (*ORDER[:7], entry(1_000_000, 600, "await_dispatch", took_ms=3), entry(1_001_000, 900, "invoice"))
    assert seen(parked)[-2:] == [("await_dispatch", 675, 5, 670), ("invoice", 0, 0, 0)]


def test_steps_side_by_side_are_told_apart_within_their_checkpoint() -> None:
    together = (
        entry(1_000, 0, "reserve", took_ms=10),
        entry(1_001, 1, "authorise", took_ms=4),
        entry(1_002, 12, "reserve", took_ms=20),
        entry(2_000, 40, "post", took_ms=5),
    )
    assert seen(together) == [("reserve", 32, 30, 2), ("authorise", 39, 4, 35), ("post", 5, 5, 0)]


def test_the_way_back_is_told_by_step() -> None:
    refused = (
        *ORDER[:4],
        entry(2_000, 200, "post_order", outcome="refused"),
        entry(3_000, 210, "undo:ship:HAM", outcome="nothing_to_undo"),
        entry(3_001, 215, "undo:ship:MUC", outcome="nothing_to_undo"),
        entry(3_002, 220, "undo:reserve_stock", outcome="undone"),
        entry(3_003, 230, "rejected", outcome="rejected"),
    )
    assert [one.step for one in stretches(refused)][-4:] == [
        "post_order", "undo:ship", "undo:reserve_stock", "rejected",
    ]  # fmt: skip
    assert ended_as(refused) == "rejected"
