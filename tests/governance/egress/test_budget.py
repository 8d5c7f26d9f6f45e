"""The retry budget: repeats never exceed their share, however calls and failures come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from governance.call import Call, Principal
from governance.call.allowance import SPENT, Allowance
from governance.egress.budget import RetryBudget


def spend(budget: RetryBudget, calls: int) -> int:
    """Retries granted while every call fails and asks for as many as it gets."""
    granted = 0
    for _ in range(calls):
        retries = budget.of(None)
        while retries.take():
            granted += 1
    return granted


def test_a_fresh_process_has_earned_none() -> None:
    assert not RetryBudget().take()


def test_a_tenth_of_the_calls_is_repeated_under_total_failure() -> None:
    assert spend(RetryBudget(), 1_000) == 100


def test_what_was_saved_in_good_times_is_bounded() -> None:
    budget = RetryBudget(reserve=5)
    for _ in range(10_000):
        budget.of(None)
    assert spend(budget, 1_000) == 5 + 99


@given(st.integers(0, 50), st.integers(0, 20), st.lists(st.sampled_from(["call", "take", "back"]), max_size=300))
def test_repeats_are_never_more_than_earned(percent: int, reserve: int, steps: list[str]) -> None:
    budget = RetryBudget(percent, reserve)
    calls = spent = 0
    for step in steps:
        if step == "call":
            budget.of(None)
            calls += 1
        elif step == "take":
            spent += budget.take()
        elif spent:
            budget.give_back()
            spent -= 1
        assert spent * 100 <= calls * percent


def test_a_call_from_another_process_spends_what_it_was_lent_and_earns_nothing() -> None:
    budget = RetryBudget()
    call = Call(principal=Principal(subject="s", client_id="c"), operation_id="o")
    call.allowance = Allowance(1, [])
    child = call.child("p", "api", "scope", keyed=False)
    taken = [budget.of(child).take() for _ in range(1_000)]
    assert taken == [True] + [False] * 999
    assert not budget.take()


def test_the_lender_is_told_what_was_spent() -> None:
    headers: list[tuple[bytes, bytes]] = []
    allowance = Allowance(1, headers)
    assert allowance.take()
    assert headers == [SPENT]
    allowance.give_back()
    assert headers == []
    assert allowance.take()
