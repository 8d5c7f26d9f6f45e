"""A write killed with SIGKILL anywhere between claim and answer, then sent again: one effect, and no key is stuck.

A run is decided by its seed: what is made, where the process dies, and how many send the repeat at once. A run
that fails names its seed; ``SEEDS=17,18 make proof`` runs just those.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.governance.bindings.sample_gateway import Reply, ask
from tests.proof.idempotency.crm_world import EFFECTS, LEASE_S, World, body_of, crm_world
from tests.proof.idempotency.victims import POINTS

VICTIMS = Path(__file__).with_name("victims.py")
BATCH = 10
SLACK_S = 1.0
"""What a busy machine may add to a lease."""
CLAIMED = POINTS[1:4]
"""Where a victim leaves its claim behind."""


class Run(Struct, frozen=True, kw_only=True):
    """One death and what follows."""

    seed: int
    effect: str
    point: str
    repeats: int


def planned(seed: int) -> Run:
    """The run of this seed."""
    chance = random.Random(seed)
    return Run(
        seed=seed,
        effect=chance.choice(EFFECTS),
        point=POINTS[seed % len(POINTS)],
        repeats=chance.choice((1, 1, 2, 4)),
    )


class Deaths:
    """Victims, forked by a process that has loaded everything."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def of(self, runs: Sequence[Run]) -> None:
        """Let the first request of each run die where it is planned to."""
        orders = [{"seed": run.seed, "effect": run.effect, "point": run.point} for run in runs]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        ended = json.loads(self._process.stdout.readline())
        assert ended == {str(run.seed): -signal.SIGKILL for run in runs}


@contextmanager
def victims(home: Path, socket: str) -> Iterator[Deaths]:
    command = [sys.executable, str(VICTIMS), str(home), socket]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Deaths(process)
        assert process.stdin is not None
        process.stdin.close()


async def repeated(world: World, run: Run) -> list[Reply]:
    """The answers to the repeat, each asked for as often as it is told to come back."""

    async def client() -> Reply:
        began = time.monotonic()
        while True:
            reply = await ask(
                world.edge,
                "POST",
                f"/system/crm/v1/{run.effect}",
                body=body_of(run.effect, run.seed),
                headers={"Idempotency-Key": f"kill-{run.seed}"},
            )
            if reply.status != 409:
                return reply
            reply.problem(409, "idempotency-key-in-flight")
            assert time.monotonic() - began < LEASE_S + SLACK_S, f"seed {run.seed}: the key is stuck"
            await asyncio.sleep(0.05)

    return await asyncio.gather(*(client() for _ in range(run.repeats)))


async def judged(world: World, run: Run) -> str:
    """Send the repeat and hold the answers to the promise; how it ended."""
    replies = await repeated(world, run)
    said = f"seed {run.seed}, {run.effect}, killed {run.point}"
    assert {reply.status for reply in replies} == {201}, f"{said}: {[reply.body for reply in replies]}"
    assert len({reply.body for reply in replies}) == 1, f"{said}: the answers differ"
    first = [reply for reply in replies if "idempotency-replayed" not in reply.headers]
    assert len(first) == (0 if run.point == "before the answer" else 1), f"{said}: {len(first)} ran"
    (again,) = await repeated(world, Run(seed=run.seed, effect=run.effect, point=run.point, repeats=1))
    assert (again.headers["idempotency-replayed"], again.body) == ("true", replies[0].body), said
    return run.point


async def made(world: World) -> Counter[str]:
    """How many records name each seed, by effect and mark."""
    found: Counter[str] = Counter()
    after = None
    while page := await world.crm.list_cases(account_ids=None, status=None, after=after, limit=200):
        found.update(f"cases {case.subject}" for case in page)
        after = page[-1].case_id
    people: Any = None
    while contacts := await world.crm.list_contacts(account_ids=None, after=people, limit=200):
        found.update(f"contacts {contact.name}" for contact in contacts)
        people = contacts[-1].contact_id
    return found


async def proved(seeds: Sequence[int], home: Path, socket: str) -> Counter[str]:
    """Every run of ``seeds``; how many died where."""
    runs = [planned(seed) for seed in seeds]
    survived: Counter[str] = Counter()
    with victims(home, socket) as deaths:
        async with crm_world(home, socket) as world:
            for start in range(0, len(runs), BATCH):
                batch = runs[start : start + BATCH]
                await asyncio.to_thread(deaths.of, batch)
                survived.update(await asyncio.gather(*(judged(world, run) for run in batch)))
            records = await made(world)
    for run in runs:
        assert records[f"{run.effect} seed {run.seed}"] == 1, f"seed {run.seed}: killed {run.point}"
    return survived


@pytest.mark.rule(
    "draft-ietf-httpapi-idempotency-key-header-07 §2.6", "A retry has one effect, wherever the first died"
)
def test_a_killed_write_is_made_once(tmp_path: Path, valkey_socket: str) -> None:
    survived = asyncio.run(proved(range(25), tmp_path, valkey_socket))
    assert survived == dict.fromkeys(POINTS, 5)


@pytest.mark.proof
@pytest.mark.timeout(1_800)
def test_five_hundred_killed_writes_are_made_once(tmp_path: Path, valkey_socket: str) -> None:
    stated = os.environ.get("SEEDS")
    seeds = [int(seed) for seed in stated.split(",")] if stated else range(1_000, 1_500)
    survived = asyncio.run(proved(seeds, tmp_path, valkey_socket))
    print(f"{survived.total()} killed writes, one effect each: {dict(survived)}")
