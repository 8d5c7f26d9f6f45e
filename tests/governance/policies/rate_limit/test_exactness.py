"""The script and the local limit against the definition itself.

A rate: in any span t at most burst + ⌊t / interval⌋ units are admitted, and no fewer than that allows. A quota: in
any calendar period at most its amount. A call that one limit refuses is charged to none.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.call import ManualClock
from governance.policies.rate_limit import Quota, RateLimit
from governance.policies.rate_limit.bucket import Bucket
from governance.policies.rate_limit.counter import Counter
from governance.policies.rate_limit.enforcement import LIMITS
from governance.policies.rate_limit.local import LocalBuckets
from governance.policies.rate_limit.terms import Terms, Verdict
from governance.store import Script, Store
from tests.governance.policies.rate_limit.limited_process import Run
from tests.governance.policies.rate_limit.processes import allowed, holds_in_every_window, reports
from tests.governance.policies.rate_limit.processes import judged as judged_by

pytestmark = pytest.mark.anyio

START_US = 1_800_000_000_000_000
HOUR_US = 3_600_000_000

rates = st.builds(RateLimit, st.integers(1, 6), st.integers(1, 50).map(lambda n: n * 1000))
quotas = st.builds(
    Quota,
    st.integers(1, 8),
    st.sampled_from(("day", "month")),
    st.sampled_from(("UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia")),
)
moments_us = st.one_of(st.just(0), st.integers(0, 120_000))
steps_us = st.lists(moments_us, min_size=1, max_size=40)
long_steps_us = st.lists(
    st.one_of(moments_us, st.integers(1, 40 * 24).map(lambda n: n * HOUR_US)), min_size=1, max_size=40
)

# The script with the time as its last argument and without expiry, which follows the real clock.
AT: Script[Verdict] = Script(
    "limits at a given time",
    LIMITS.source.replace(b"redis.call('TIME')", b"{ 0, ARGV[#ARGV] }")
    .replace(b", 'PX', math.floor((tat - now) / 1000) + 2", b"")
    .replace(b", 'PX', math.floor(lives[i] / 1000) + 2", b""),
)


class Definition:
    """What is allowed, told by counts alone: it knows nothing of arrival times or of periods' bounds."""

    def __init__(self, rates: list[RateLimit], quotas: list[Quota], cost: int) -> None:
        self._rates = rates
        self._quotas = quotas
        self._cost = cost
        self._admitted: list[int] = []

    def admits(self, now_us: int) -> bool:
        fits = all(self._rated(rate, now_us) for rate in self._rates) and all(
            self._counted(quota, now_us) for quota in self._quotas
        )
        if fits:
            self._admitted.append(now_us)
        return fits

    def _rated(self, rate: RateLimit, now_us: int) -> bool:
        spans = [*((len(self._admitted) - at, start) for at, start in enumerate(self._admitted)), (0, now_us)]
        return all(
            (calls + 1) * self._cost <= rate.burst + (now_us - start) // rate.interval_us for calls, start in spans
        )

    def _counted(self, quota: Quota, now_us: int) -> bool:
        before = sum(self._cost for at in self._admitted if _period(quota, at) == _period(quota, now_us))
        return before + self._cost <= quota.amount


def _period(quota: Quota, at_us: int) -> str:
    local = datetime.fromtimestamp(at_us / 1_000_000, ZoneInfo(quota.zone))
    return local.strftime("%Y-%m-%d" if quota.period == "day" else "%Y-%m")


def defined(limit: RateLimit, times_us: list[int]) -> list[bool]:
    definition = Definition([limit], [], 1)
    return [definition.admits(now) for now in times_us]


def terms_of(*limits: RateLimit, quotas: list[Quota] | None = None, cost: int = 1, guess_us: int = START_US) -> Terms:
    buckets = [Bucket.of(f"b{at}", limit) for at, limit in enumerate(limits)]
    return Terms(cost, buckets, [Counter(quota, guess_us) for quota in quotas or []])


async def judged(store: Store, terms: Terms, now_us: int) -> Verdict:
    """The verdict at a given time, the quotas' periods turned as the policy turns them."""
    for _ in range(2):
        verdict = await store.run(AT, terms.keys("k"), (*terms.arguments, b"%d" % now_us))
        if verdict[0] < 0 or verdict[1] >= terms.until_us:
            terms.turn(verdict[1])
        if verdict[0] >= 0:
            return verdict
    raise AssertionError("the periods stay wrong")


def test_the_altered_script_differs_in_the_clock_alone() -> None:
    assert AT.source.count(b"ARGV[#ARGV]") == 1
    assert b"TIME" not in AT.source
    assert b"'PX'" not in AT.source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(rate=rates, steps=steps_us, cost=st.integers(1, 3))
async def test_the_script_is_the_definition_of_a_rate(
    store: Store, rate: RateLimit, steps: list[int], cost: int
) -> None:
    await store.command(b"FLUSHDB")
    terms, definition = terms_of(rate, cost=cost), Definition([rate], [], cost)
    for at in accumulate(steps, initial=START_US):
        admitted, now, remaining, retry_us, window_us = await judged(store, terms, at)
        assert (admitted == 1) == definition.admits(at)
        assert now == at
        assert 0 <= remaining <= rate.burst
        assert (retry_us == 0) == (remaining >= cost)
        assert admitted == 1 or retry_us > 0
        assert 0 < window_us <= rate.interval_us
        assert retry_us == 0 or retry_us == window_us + (cost - remaining - 1) * rate.interval_us


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=120)
@given(
    some=st.lists(rates, max_size=2),
    counted=st.lists(quotas, max_size=2, unique_by=lambda quota: quota.name),
    steps=long_steps_us,
    cost=st.integers(1, 2),
    guess_us=st.sampled_from((0, START_US, START_US + 400 * 24 * HOUR_US)),
)
async def test_the_script_is_the_definition_of_rates_and_quotas_together(
    store: Store, some: list[RateLimit], counted: list[Quota], steps: list[int], cost: int, guess_us: int
) -> None:
    await store.command(b"FLUSHDB")
    terms, definition = terms_of(*some, quotas=counted, cost=cost, guess_us=guess_us), Definition(some, counted, cost)
    for at in accumulate(steps, initial=START_US):
        verdict = await judged(store, terms, at)
        assert (verdict[0] == 1) == definition.admits(at)
        for quota, remaining, retry_us, left_us in zip(
            counted, *(verdict[2 + 3 * len(some) + part :: 3] for part in range(3)), strict=True
        ):
            assert 0 <= remaining <= quota.amount
            assert retry_us == (0 if remaining >= cost else left_us)
            assert _period(quota, at + left_us - 1) == _period(quota, at) != _period(quota, at + left_us)


@settings(deadline=None)
@given(rate=rates, steps=steps_us)
def test_the_local_limit_is_the_definition(rate: RateLimit, steps: list[int]) -> None:
    clock = ManualClock()
    local, terms = LocalBuckets(clock), terms_of(rate)
    times: list[int] = []
    verdicts: list[bool] = []
    for step in steps:
        clock.advance(timedelta(microseconds=step).total_seconds())
        times.append(int(clock.monotonic() * 1_000_000))
        verdicts.append(local.take((b"k",), terms)[0] == 1)
    assert verdicts == defined(rate, times)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rate=rates, steps=steps_us, back_us=st.integers(1, 10**9))
async def test_a_clock_that_goes_back_locks_out_for_one_refill_at_most(
    store: Store, rate: RateLimit, steps: list[int], back_us: int
) -> None:
    await store.command(b"FLUSHDB")
    terms, at = terms_of(rate), START_US
    for step in steps:
        at += step
        await judged(store, terms, at)
    assert (await judged(store, terms, at - back_us))[3] <= rate.interval_us


async def test_a_clock_that_goes_back_over_midnight_gives_no_quota_twice(store: Store) -> None:
    terms = terms_of(quotas=[Quota(2, "day")])
    midnight_us = terms.until_us
    assert [(await judged(store, terms, midnight_us + 1))[0] for _ in range(3)] == [1, 1, 0]
    assert (await judged(store, terms, midnight_us - 1))[0] == 0
    assert (await judged(store, terms, midnight_us + 24 * HOUR_US))[0] == 1


async def test_a_quota_turns_at_midnight_in_one_trip(store: Store) -> None:
    terms = terms_of(quotas=[Quota(1, "day", "Europe/Berlin")])
    midnight_us, length_us = terms.until_us, 24 * HOUR_US
    arguments = terms.arguments
    said = [
        await store.run(AT, terms.keys("k"), (*arguments, b"%d" % at))
        for at in (midnight_us - 1, midnight_us, midnight_us + length_us - 1, midnight_us + length_us)
    ]
    assert [verdict[0] for verdict in said] == [1, 1, 0, -1]
    assert said[1][2:] == [0, length_us, length_us]


@pytest.mark.rule("draft-ietf-httpapi-ratelimit-headers-11 §4.1.2", "For t seconds a client finds no more than r units")
async def test_an_effective_window_ends_when_one_more_unit_is_there(store: Store) -> None:
    terms = terms_of(RateLimit(3, 7_001))
    for at_us in accumulate((START_US, 100, 0, 5_000, 9_000)):
        _, now, remaining, _, window_us = await judged(store, terms, at_us)
        for at, there in ((now + window_us - 1, remaining), (now + window_us, remaining + 1)):
            await store.command(b"COPY", terms.keys("k")[0], b"limit:{k}:aside", b"REPLACE")
            spare = [await store.run(AT, (b"limit:{k}:aside",), (*terms.arguments, b"%d" % at)) for _ in range(4)]
            assert sum(verdict[0] for verdict in spare) == there


async def test_an_announced_wait_is_neither_too_short_nor_too_long(store: Store) -> None:
    terms = terms_of(RateLimit(3, 7_001))
    for _ in range(3):
        await judged(store, terms, START_US)
    wait_us = (await judged(store, terms, START_US + 10))[3]
    assert (await judged(store, terms, START_US + 10 + wait_us - 1))[0] == 0
    assert (await judged(store, terms, START_US + 10 + wait_us))[0] == 1


async def test_a_cost_above_the_burst_is_never_admitted(store: Store) -> None:
    terms = terms_of(RateLimit(3, 1_000), cost=4)
    assert [(await judged(store, terms, START_US + at * 10**9))[0] for at in range(3)] == [0, 0, 0]


async def test_several_limits_admit_together_or_are_not_charged(store: Store) -> None:
    terms = terms_of(RateLimit(10, HOUR_US), RateLimit(3, HOUR_US), quotas=[Quota(2, "month")])
    replies = [await judged(store, terms, START_US) for _ in range(5)]
    assert [(reply[0], reply[2], reply[5], reply[8]) for reply in replies] == [
        (1, 9, 2, 1),
        (1, 8, 1, 0),
        (0, 8, 1, 0),
        (0, 8, 1, 0),
        (0, 8, 1, 0),
    ]


async def test_a_spent_quota_is_kept_to_the_end_of_its_period(store: Store) -> None:
    """By the real clock: what the script leaves behind expires no earlier than the period ends, and does expire."""
    quota = Quota(5, "month")
    seconds, _ = await store.command(b"TIME")
    counter = Counter(quota, int(seconds) * 1_000_000)
    terms = Terms(1, (), [counter])
    await store.run(LIMITS, terms.keys("k"), terms.arguments)
    expires_ms = await store.command(b"PEXPIRETIME", terms.keys("k")[0])
    assert counter.window.end_us / 1000 <= expires_ms <= counter.window.end_us / 1000 + 31 * 24 * HOUR_US / 1000


async def test_a_full_bucket_takes_no_memory(store: Store) -> None:
    terms = terms_of(RateLimit(2, 1_000))
    await store.run(LIMITS, terms.keys("k"), terms.arguments)
    async with asyncio.timeout(30):
        while await store.command(b"EXISTS", terms.keys("k")[0]):
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("spelled", ["300/365d", "500/1s burst 20"])
async def test_four_processes_share_one_limit_exactly(store: Store, valkey_socket: str, spelled: str) -> None:
    limit = RateLimit.parse(spelled)
    verdicts = judged_by(await reports(Run(socket=valkey_socket, limit=spelled, calls=800)))
    assert len(verdicts) == 3200
    admitted = [at for at, verdict in verdicts if verdict == 1]
    assert len(admitted) == allowed([at for at, _ in verdicts], limit)
    assert holds_in_every_window(admitted, limit)
    assert spelled != "300/365d" or len(admitted) == 300


async def test_two_processes_share_one_quota_exactly(store: Store, valkey_socket: str) -> None:
    found = await reports(Run(socket=valkey_socket, limit="100000/1s", calls=400, quota=300), processes=2)
    assert sum(report.with_store.get("admitted", 0) for report in found) == 300


@given(rate=rates, steps=steps_us)
def test_the_plain_account_is_the_definition(rate: RateLimit, steps: list[int]) -> None:
    times = list(accumulate(steps))
    verdicts = defined(rate, times)
    assert allowed(times, rate) == sum(verdicts)
    assert holds_in_every_window([at for at, verdict in zip(times, verdicts, strict=True) if verdict], rate)


def test_the_bound_is_noticed_when_it_is_broken() -> None:
    """What the proofs measure with: one call too many at once, and one too early."""
    limit = RateLimit(3, 1_000)
    assert holds_in_every_window([0, 0, 0, 1_000, 2_000], limit)
    assert not holds_in_every_window([0, 0, 0, 0], limit)
    assert not holds_in_every_window([0, 0, 0, 1_000, 1_999], limit)
    assert not holds_in_every_window([0, 5_000, 5_000, 5_000, 5_999], limit)
    assert allowed([0, 0, 0, 0, 999, 1_000, 1_000], limit) == 4
