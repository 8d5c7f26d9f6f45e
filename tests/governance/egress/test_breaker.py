"""The breaker: opens on a share of failures, refuses at once, tries carefully, and closes on success."""

from __future__ import annotations

import pytest

from governance.call import ManualClock
from governance.egress.breaker import Breaker, BreakerSettings

SETTINGS = BreakerSettings(least=4, percent=50, window_s=10, open_s=2, longest_open_s=5, trials=2)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(clock.monotonic, SETTINGS)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.refused_for_s() == 0
        breaker.failed()


def succeed(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.refused_for_s() == 0
        breaker.succeeded()


def test_few_failures_do_not_open_it(breaker: Breaker) -> None:
    fail(breaker, 3)
    assert breaker.state == "closed"


def test_a_share_of_failures_opens_it(breaker: Breaker) -> None:
    succeed(breaker, 4)
    fail(breaker, 3)
    assert breaker.state == "closed"
    fail(breaker)
    assert (breaker.state, breaker.refused_for_s()) == ("open", 2)


def test_failures_are_forgotten_after_the_window(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(20):
        fail(breaker)
        clock.advance(4)
    assert breaker.state == "closed"
    clock.advance(1_000_000)
    fail(breaker, 3)
    assert breaker.state == "closed"


def test_it_lets_a_few_trials_through_when_its_time_is_over(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 4)
    clock.advance(1.5)
    assert breaker.refused_for_s() == 0.5
    clock.advance(0.5)
    assert [breaker.refused_for_s() == 0 for _ in range(5)] == [True, True, False, False, False]
    assert breaker.state == "half-open"


def test_as_many_successes_as_trials_close_it(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 4)
    clock.advance(2)
    succeed(breaker)
    assert breaker.state == "half-open"
    succeed(breaker)
    assert breaker.state == "closed"
    fail(breaker, 3)
    assert breaker.state == "closed", "it starts anew"


def test_a_failed_trial_opens_it_for_longer_up_to_a_bound(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 4)
    waits: list[float] = []
    for _ in range(4):
        clock.advance(breaker.refused_for_s())
        fail(breaker)
        waits.append(breaker.refused_for_s())
    assert waits == [4, 5, 5, 5]
    assert breaker.opened == 5
    clock.advance(5)
    succeed(breaker, 2)
    fail(breaker, 4)
    assert breaker.refused_for_s() == 2, "the time starts from its first length again"


def test_a_trial_that_ends_without_a_verdict_frees_its_place(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 4)
    clock.advance(2)
    for _ in range(10):
        assert breaker.refused_for_s() == 0
        breaker.ended()
    assert breaker.state == "half-open"


def test_a_trial_that_never_reports_is_forgotten(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 4)
    clock.advance(2)
    assert [breaker.refused_for_s(), breaker.refused_for_s()] == [0, 0]
    assert breaker.refused_for_s() > 0
    clock.advance(10)
    assert breaker.refused_for_s() == 0
