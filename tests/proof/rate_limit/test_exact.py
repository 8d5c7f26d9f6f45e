"""100,000 calls of four processes against one store: no call too many and none too few, by the store's own clock."""

from __future__ import annotations

import pytest

from governance.policies.rate_limit import RateLimit
from governance.store import Store
from tests.governance.policies.rate_limit.limited_process import Run
from tests.governance.policies.rate_limit.processes import allowed, holds_in_every_window, judged, reports

pytestmark = [pytest.mark.anyio, pytest.mark.proof, pytest.mark.timeout(300)]

PROCESSES, CALLS = 4, 25_000


async def test_with_an_interval_longer_than_the_run_exactly_the_burst_is_admitted(
    store: Store, valkey_socket: str
) -> None:
    found = await reports(Run(socket=valkey_socket, limit="1000/365d", calls=CALLS), PROCESSES)
    assert [report.without_store for report in found] == [{}] * PROCESSES
    assert sum(report.with_store.get("admitted", 0) for report in found) == 1000
    assert sum(report.with_store.get("limited", 0) for report in found) == PROCESSES * CALLS - 1000
    print("admitted by process:", [report.with_store.get("admitted", 0) for report in found])


async def test_of_a_quota_exactly_its_amount_is_admitted(store: Store, valkey_socket: str) -> None:
    run = Run(socket=valkey_socket, limit="1000000/1s", calls=CALLS, quota=12_345)
    found = await reports(run, PROCESSES)
    assert [report.without_store for report in found] == [{}] * PROCESSES
    assert sum(report.with_store.get("admitted", 0) for report in found) == 12_345
    assert sum(len(report.judged) for report in found) == PROCESSES * CALLS


@pytest.mark.parametrize("spelled", ["1000/1s burst 100", "20000/1s burst 1", "3000/1s burst 3000"])
async def test_with_a_short_interval_what_the_stores_own_times_allow_is_admitted(
    store: Store, valkey_socket: str, spelled: str
) -> None:
    limit = RateLimit.parse(spelled)
    found = await reports(Run(socket=valkey_socket, limit=spelled, calls=CALLS), PROCESSES)
    assert [report.without_store for report in found] == [{}] * PROCESSES
    verdicts = judged(found)
    admitted = [at for at, verdict in verdicts if verdict == 1]
    assert len(verdicts) == PROCESSES * CALLS
    assert holds_in_every_window(admitted, limit)
    assert len(admitted) == allowed([at for at, _ in verdicts], limit)
    assert len(admitted) == sum(report.with_store["admitted"] for report in found)
    span_us = verdicts[-1][0] - verdicts[0][0]
    print(f"{spelled}: {len(admitted)} of {len(verdicts)} in {span_us / 1e6:.2f} s")
