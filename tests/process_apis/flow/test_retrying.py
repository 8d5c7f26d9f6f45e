"""When a step is asked again."""

from __future__ import annotations

import pytest

from governance.contract import NotFound
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from process_apis.flow.retrying import OUTAGE, asked_s


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        (SystemUnavailable(), 0),
        (SystemUnavailable(retry_after_s=1), 0),
        (SystemUnavailable(retry_after_s=30), 30),
        (SystemUnavailable(retry_after_s=4 * 3600), 60),
        (DeadlineExceeded(), 0),
        (NotFound(), 0),
        (OSError(), 0),
    ],
)
def test_a_system_that_asks_to_be_left_alone_is(error: Exception, wait_s: float) -> None:
    assert asked_s(error) == wait_s


def test_without_that_the_pauses_grow_to_a_bound() -> None:
    pauses = [OUTAGE.delay_s(attempt) for attempt in range(40)]
    assert 0.08 <= pauses[0] <= 0.1
    assert max(pauses) <= 15
    assert min(pauses[10:]) >= 12
