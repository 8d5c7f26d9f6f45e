"""GCRA against the definition itself: in any span t at most burst + ⌊t / interval⌋ are admitted, and no fewer than that allows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.call import ManualClock
from governance.policies.rate_limit.bucket import Bucket, Verdict
from governance.policies.rate_limit.enforcement import GCRA
from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.local import LocalBuckets
from governance.store import Script, Store

pytestmark = pytest.mark.anyio

limits = st.builds(RateLimit, st.integers(1, 6), st.integers(1, 50).map(lambda n: n * 1000))
steps_us = st.lists(st.one_of(st.just(0), st.integers(0, 120_000)), min_size=1, max_size=40)

# The script with the time as its last argument and without expiry, which follows the real clock.
AT: Script[Verdict] = Script(
    "gcra at a given time",
    GCRA.source.replace(b"redis.call('TIME')", b"{ 0, ARGV[#ARGV] }").replace(
        b", 'PX', math.floor((tat - now) / 1000) + 2", b""
    ),
)


def defined(limit: RateLimit, times_us: list[int]) -> list[bool]:
    """What the definition admits: it knows nothing of arrival times, only of counts in spans."""
    admitted: list[int] = []
    verdicts: list[bool] = []
    for now in times_us:
        fits = all(
            len(admitted) - index + 1 <= limit.burst + (now - start) // limit.interval_us
            for index, start in enumerate(admitted)
        )
        verdicts.append(fits)
        if fits:
            admitted.append(now)
    return verdicts


def test_the_altered_script_differs_in_the_clock_alone() -> None:
    assert AT.source.count(b"ARGV[#ARGV]") == 1
    assert b"TIME" not in AT.source
    assert b"'PX'" not in AT.source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(limit=limits, steps=steps_us)
async def test_the_script_is_the_definition(store: Store, limit: RateLimit, steps: list[int]) -> None:
    await store.command(b"DEL", b"k")
    bucket = Bucket.of("b", limit)
    times = [1_800_000_000_000_000 + at for at in accumulate(steps)]
    replies = [await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % at)) for at in times]
    assert [reply[0] == 1 for reply in replies] == defined(limit, times)
    for at, (admitted, now, remaining, retry_us, reset_us) in zip(times, replies, strict=True):
        assert now == at
        assert 0 <= remaining < limit.burst
        assert (retry_us == 0) == (remaining > 0)
        assert (admitted == 1) or (remaining == 0 and 0 < retry_us <= limit.interval_us)
        assert 0 < reset_us <= limit.burst * limit.interval_us


@settings(deadline=None)
@given(limit=limits, steps=steps_us)
def test_the_local_limit_is_the_definition(limit: RateLimit, steps: list[int]) -> None:
    clock = ManualClock()
    local, bucket = LocalBuckets(clock), Bucket.of("b", limit)
    times: list[int] = []
    verdicts: list[bool] = []
    for step in steps:
        clock.advance(timedelta(microseconds=step).total_seconds())
        times.append(int(clock.monotonic() * 1_000_000))
        verdicts.append(local.take((b"k",), (bucket,))[0] == 1)
    assert verdicts == defined(limit, times)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(limit=limits, steps=steps_us, back_us=st.integers(1, 10**9))
async def test_a_clock_that_goes_back_locks_out_for_one_refill_at_most(
    store: Store, limit: RateLimit, steps: list[int], back_us: int
) -> None:
    await store.command(b"DEL", b"k")
    bucket, at = Bucket.of("b", limit), 1_800_000_000_000_000
    for step in steps:
        at += step
        await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % at))
    reply = await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % (at - back_us)))
    assert reply[3] <= limit.interval_us


async def test_an_announced_wait_is_neither_too_short_nor_too_long(store: Store) -> None:
    bucket, start = Bucket.of("b", RateLimit(3, 7_001)), 1_800_000_000_000_000
    for _ in range(3):
        await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % start))
    refused = await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % (start + 10)))
    wait_us = refused[3]
    assert (await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % (start + 10 + wait_us - 1))))[0] == 0
    assert (await store.run(AT, (b"k",), (*bucket.arguments, b"%d" % (start + 10 + wait_us))))[0] == 1


async def test_several_buckets_admit_together_or_are_not_charged(store: Store) -> None:
    wide, narrow = Bucket.of("wide", RateLimit(10, 3_600_000_000)), Bucket.of("narrow", RateLimit(2, 3_600_000_000))
    both = (*wide.arguments, *narrow.arguments)
    replies = [await store.run(GCRA, (b"w", b"n"), both) for _ in range(5)]
    assert [(reply[0], reply[2], reply[5]) for reply in replies] == [
        (1, 9, 1),
        (1, 8, 0),
        (0, 8, 0),
        (0, 8, 0),
        (0, 8, 0),
    ]


async def test_a_full_bucket_takes_no_memory(store: Store) -> None:
    bucket = Bucket.of("b", RateLimit(2, 1_000))
    await store.run(GCRA, (b"k",), bucket.arguments)
    async with asyncio.timeout(5):
        while await store.command(b"EXISTS", b"k"):
            await asyncio.sleep(0.002)


PROCESS = """
import asyncio, json, sys
from governance.policies.rate_limit.enforcement import GCRA
from governance.store import Store

async def main(socket, calls, interval, burst):
    store = Store(socket, scripts=[GCRA])
    await store.start()
    print("ready", flush=True)
    sys.stdin.readline()
    async def some():
        return [(await store.run(GCRA, (b"limit:shared",), (interval, burst)))[:2] for _ in range(calls // 16)]
    replies = [reply for part in await asyncio.gather(*(some() for _ in range(16))) for reply in part]
    await store.close()
    print(json.dumps(replies))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode()))
"""


@pytest.mark.parametrize("limit", [RateLimit(300, 3_600_000_000), RateLimit(20, 2_000)])
async def test_four_processes_share_one_limit_exactly(store: Store, valkey_socket: str, limit: RateLimit) -> None:
    arguments = [valkey_socket, "800", str(limit.interval_us), str(limit.burst)]
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(child.communicate(b"\n") for child in children))
    replies = sorted((now, admitted) for out, _ in outputs for admitted, now in json.loads(out))
    assert len(replies) == 3200
    assert sum(admitted for _, admitted in replies) == sum(defined(limit, [now for now, _ in replies]))
    if limit.interval_us > 10**9:
        assert sum(admitted for _, admitted in replies) == limit.burst
