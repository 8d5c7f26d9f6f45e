"""Several limited processes at once, and what their reports are held to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from governance.policies.rate_limit import RateLimit
from tests.governance.policies.rate_limit.limited_process import Report, Run

PROGRAM = Path(__file__).with_name("limited_process.py")


async def reports(run: Run, processes: int = 4, meanwhile: Callable[[], Awaitable[None]] | None = None) -> list[Report]:
    """What so many processes report of the same run, begun together; they end after ``meanwhile`` where it is given."""
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), msgspec.json.encode(run), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            limit=2**26,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
    ended = [asyncio.ensure_future(_ended(child)) for child in children]
    for child in children:
        _tell(child)
    if meanwhile is not None:
        await meanwhile()
        for child in children:
            _tell(child)
    return await asyncio.gather(*ended)


def _tell(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    child.stdin.write(b"\n")


async def _ended(child: asyncio.subprocess.Process) -> Report:
    assert child.stdout is not None
    output = await child.stdout.read()
    assert await child.wait() == 0
    return msgspec.json.decode(output, type=Report)


def judged(found: list[Report]) -> list[tuple[int, int]]:
    """Every verdict of the store in its own order of time; at the same µs those that admitted come first."""
    return sorted((verdict for report in found for verdict in report.judged), key=lambda one: (one[0], -one[1]))


def holds_in_every_window(admitted_us: list[int], limit: RateLimit) -> bool:
    """Whether in any span t, between any two admitted calls, at most burst + ⌊t / interval⌋ lie.

    With calls i ≤ j that is (j - i + 1 - burst) · interval ≤ t_j - t_i, so only the smallest i · interval - t_i counts.
    """
    least = None
    for number, at_us in enumerate(admitted_us):
        here = number * limit.interval_us - at_us
        least = here if least is None else min(least, here)
        if here + (1 - limit.burst) * limit.interval_us > least:
            return False
    return True


def allowed(times_us: list[int], limit: RateLimit) -> int:
    """How many of these calls GCRA admits, by the plainest account of it: tokens that come back one by one."""
    admitted, tokens_at_us = 0, None
    for now in times_us:
        full_at = now if tokens_at_us is None else max(now, tokens_at_us)
        if full_at - now <= (limit.burst - 1) * limit.interval_us:
            admitted, tokens_at_us = admitted + 1, full_at + limit.interval_us
    return admitted
