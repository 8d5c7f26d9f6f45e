"""Claims: one holder, fenced by its token, for as long as its lease."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from governance.policies.idempotency.claims import Claim, Claims, InFlight, Settled
from governance.policies.idempotency.lease import Lease
from governance.store import Store

pytestmark = pytest.mark.anyio

ONE, OTHER = b"1" * 32, b"2" * 32
PATIENCE_S = 20.0


async def claimed(claims: Claims, fingerprint: bytes = ONE) -> Claim:
    found = await claims.claim(b"key", fingerprint)
    assert isinstance(found, Claim)
    return found


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def expired(store: Store) -> None:
    """Let the lease of the key run out now."""
    await store.command(b"PEXPIRE", b"key", 1)

    async def gone() -> bool:
        return await store.command(b"EXISTS", b"key") == 0

    await until(gone)


async def test_one_of_many_gets_it(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    found = await asyncio.gather(*(claims.claim(b"key", ONE) for _ in range(100)))
    assert sum(isinstance(each, Claim) for each in found) == 1
    waiting = [each.rest_ms for each in found if isinstance(each, InFlight)]
    assert len(waiting) == 99
    assert all(29_000 < rest_ms <= 30_000 for rest_ms in waiting)


async def test_another_request_under_the_key(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    claim = await claimed(claims)
    assert await claims.claim(b"key", OTHER) == "reused"
    await claim.record(b"out", status=200, retention_s=60)
    assert await claims.claim(b"key", OTHER) == "reused"
    assert await claims.claim(b"key", ONE) == b"out"


async def test_outcomes_are_any_bytes_and_live_for_the_retention(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    await (await claimed(claims)).record(b"\x00c\r\n\xff", status=200, retention_s=3600)
    assert await claims.claim(b"key", ONE) == b"\x00c\r\n\xff"
    assert 3590 < await store.command(b"TTL", b"key") <= 3600


async def test_an_outcome_that_is_not_kept_leaves_its_fingerprint(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    await (await claimed(claims)).record(None, status=200, retention_s=3600)
    assert await claims.claim(b"key", OTHER) == "reused"
    again = await claimed(claims)
    assert isinstance(await claims.claim(b"key", ONE), InFlight)
    assert await again.record(None, status=200, retention_s=3600)


async def test_what_stands_under_a_key(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    assert await claims.look(b"key") is None
    claim = await claimed(claims)
    found = await claims.look(b"key")
    assert isinstance(found, InFlight)
    assert 29_000 < found.rest_ms <= 30_000
    for outcome in (b"out", None):
        seconds = int((await store.command(b"TIME"))[0])
        assert await claim.record(outcome, status=201, retention_s=3600)
        found = await claims.look(b"key")
        assert isinstance(found, Settled)
        assert (found.status, 3_590_000 < found.rest_ms <= 3_600_000) == (201, True)
        assert seconds <= found.at <= seconds + 1
        await store.command(b"DEL", b"key")
        claim = await claimed(claims)


async def test_a_release_frees_the_key(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    assert await (await claimed(claims)).release()
    await claimed(claims, OTHER)


async def test_a_holder_whose_lease_ran_out_is_fenced_off(store: Store) -> None:
    claims = Claims(store, lease_s=30)
    late = await claimed(claims)
    await expired(store)
    assert not await late.record(b"late", status=200, retention_s=60)
    holder = await claimed(claims)
    assert not await late.record(b"late", status=200, retention_s=60)
    assert not await late.renew()
    assert not await late.release()
    assert await holder.record(b"mine", status=200, retention_s=60)
    assert not await late.record(b"late", status=200, retention_s=60)
    assert not await late.release()
    assert await claims.claim(b"key", ONE) == b"mine"


async def test_a_lease_is_renewed_until_it_ends(store: Store) -> None:
    claim = await claimed(Claims(store, lease_s=30))
    lease = Lease(claim, 1)

    async def renewed() -> bool:
        await store.command(b"PEXPIRE", b"key", 20_000)
        before = await store.command(b"PTTL", b"key")
        await asyncio.sleep(0.4)
        return await store.command(b"PTTL", b"key") > before

    await until(renewed)
    await until(renewed)
    lease.end()
    await asyncio.sleep(0)
    assert not await renewed()


async def test_a_lease_that_was_lost_stops_beating(store: Store) -> None:
    claim = await claimed(Claims(store, lease_s=1))
    lease = Lease(claim, 1)
    await expired(store)
    other = await claimed(Claims(store, lease_s=30))
    calls = await _renewals(store)

    async def beaten() -> bool:
        return await _renewals(store) > calls

    await until(beaten)
    calls = await _renewals(store)
    await asyncio.sleep(0.5)  # longer than a beat
    assert await _renewals(store) == calls
    assert await other.release()
    lease.end()


async def _renewals(store: Store) -> int:
    stats: bytes = await store.command(b"INFO", b"commandstats")
    return int(stats.partition(b"cmdstat_evalsha:calls=")[2].partition(b",")[0])


HOLDER = """
import asyncio, sys
from governance.policies.idempotency.claims import Claims
from governance.policies.idempotency.lease import Lease
from governance.store import Store

async def main():
    store = Store(sys.argv[1])
    claims = Claims(store, lease_s=3)
    await store.start()
    lease = Lease(await claims.claim(b"key", b"1" * 32), 3)
    print("held", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_holder_frees_the_key_with_its_lease(store: Store, valkey_socket: str) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, valkey_socket, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    claims = Claims(store, lease_s=3)
    assert isinstance(await claims.claim(b"key", ONE), InFlight)
    holder.kill()
    await holder.wait()
    assert isinstance(await claims.claim(b"key", ONE), InFlight)
    (held,) = await store.command(b"KEYS", b"*")
    assert 0 < await store.command(b"PTTL", held) <= 3_000

    async def free() -> bool:
        return isinstance(await claims.claim(b"key", ONE), Claim)

    await until(free)
