"""Kept answers of a vendor: fresh ones are served, stale ones where it fails, identical questions asked once.

Guarantees: an answer is served as fresh for its ``fresh_s`` only, and not at all once an event has made one
of its tags void, in any process; an answer that was under way when the event came is void as
well, because the marks of its tags are read before it is fetched. Of identical reads at the same time one
goes out in each process, and it goes on when whoever asked first goes away. An answer with an entity
tag is asked for conditionally when its time is over (RFC 9110 §13.1.2).

Answers are kept in the store. While it is away nothing is kept and nothing old is served: reads go
to the vendor, identical ones still together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from secrets import token_hex
from typing import Literal

import msgspec
from msgspec import Struct

from governance.call.clock import Clock
from governance.contract.problems import Problem
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress.exchange import Caching, Outgoing, Reply
from governance.store import Store, StoreError

LARGEST_BYTES = 1_048_576
"""A larger answer is not kept."""
LONGEST_S = 7 * 86_400
"""No answer is kept longer."""
MARKS_LIVE_S = LONGEST_S + 86_400
"""A mark outlives every answer that was kept under the one before it."""

How = Literal["fresh", "stale", "revalidated", "joined", "fetched"]
Fetch = Callable[[Outgoing], Awaitable[Reply]]


class Kept(Struct, frozen=True, array_like=True):
    """An answer in the store; times are seconds since 1970."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    fresh_until: float
    stale_until: float
    marks: tuple[bytes, ...]

    def reply(self, *, stale: bool = False) -> Reply:
        """The answer as it was."""
        return Reply(status=self.status, headers=self.headers, body=self.body, stale=stale)


class Answers:
    """The kept answers of one vendor. ``note`` hears how each read was served."""

    def __init__(self, vendor: str, store: Store | None, clock: Clock, note: Callable[[How], None]) -> None:
        self._prefix = f"egress:{{{vendor}}}:"
        self._store = store
        self._clock = clock
        self._note = note
        self._flights: dict[bytes, asyncio.Task[Reply]] = {}

    async def read(self, outgoing: Outgoing, caching: Caching, fetch: Fetch, within_s: float) -> Reply:
        """The answer to a read: kept, or fetched with every other caller that wants the same now.

        Raises:
            SystemUnavailable: the vendor can't answer and nothing that is kept may be served.
            DeadlineExceeded: it is not there within ``within_s`` seconds; others may still get it.
        """
        key = self._key(outgoing)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._answer(key, outgoing, caching, fetch), name="egress read")
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        else:
            self._note("joined")
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(flight)
        except TimeoutError:
            raise DeadlineExceeded(detail="A system behind the gateway did not answer in time.") from None

    async def invalidate(self, tags: Iterable[str]) -> None:
        """Make every kept answer with one of ``tags`` void, in all processes.

        Raises:
            StoreError: the store is away; nothing is known to be void.
        """
        if self._store is not None:
            marks = [self._store.command(b"SET", self._tag(tag), token_hex(8), b"EX", MARKS_LIVE_S) for tag in tags]
            await asyncio.gather(*marks)

    async def stop(self) -> None:
        """End what is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, key: bytes, flight: asyncio.Task[Reply]) -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()  # whoever still waits gets it; nobody has to

    async def _answer(self, key: bytes, outgoing: Outgoing, caching: Caching, fetch: Fetch) -> Reply:
        kept, marks = await self._look(key, caching.tags)
        now = self._clock.now().timestamp()
        valid = kept if kept is not None and kept.marks == marks else None
        if valid is not None and now < valid.fresh_until:
            self._note("fresh")
            return valid.reply()
        tag = kept.headers.get("etag") if kept is not None else None
        asked = outgoing if tag is None else _conditional(outgoing, tag)
        try:
            reply = await fetch(asked)
        except (SystemUnavailable, DeadlineExceeded) as problem:
            return self._stale_or(valid, now, problem)
        if reply.status == 304 and kept is not None:
            self._note("revalidated")
            reply = Reply(status=kept.status, headers={**kept.headers, **reply.headers}, body=kept.body)
        else:
            self._note("fetched")
        await self._keep(key, reply, caching, marks)
        return reply

    def _stale_or(self, kept: Kept | None, now: float, problem: Problem) -> Reply:
        if kept is None or now >= kept.stale_until:
            raise problem
        self._note("stale")
        return kept.reply(stale=True)

    async def _look(self, key: bytes, tags: tuple[str, ...]) -> tuple[Kept | None, tuple[bytes, ...] | None]:
        """What is kept, and the marks of its tags as they are now; no marks while the store is away."""
        if self._store is None:
            return None, None
        try:
            found, *marks = await self._store.command(b"MGET", key, *map(self._tag, tags))
        except StoreError:
            return None, None
        kept = msgspec.msgpack.decode(found, type=Kept) if found is not None else None
        return kept, tuple(mark or b"" for mark in marks)

    async def _keep(self, key: bytes, reply: Reply, caching: Caching, marks: tuple[bytes, ...] | None) -> None:
        if self._store is None or marks is None or reply.status != 200 or len(reply.body) > LARGEST_BYTES:
            return
        now = self._clock.now().timestamp()
        fresh_until = now + min(caching.fresh_s, LONGEST_S)
        stale_until = min(fresh_until + caching.stale_s, now + LONGEST_S)
        kept = Kept(reply.status, reply.headers, reply.body, fresh_until, stale_until, marks)
        try:
            lives_ms = max(1, int((stale_until - now) * 1000))
            await self._store.command(b"SET", key, msgspec.msgpack.encode(kept), b"PX", lives_ms)
        except StoreError:
            return  # the next read fetches again

    def _key(self, outgoing: Outgoing) -> bytes:
        parts = [
            outgoing.method,
            outgoing.url,
            *(f"{name}: {value}" for name, value in sorted(outgoing.headers.items())),
        ]
        digest = blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
        return f"{self._prefix}answer:{digest}".encode()

    def _tag(self, tag: str) -> bytes:
        return f"{self._prefix}tag:{tag}".encode()


def _conditional(outgoing: Outgoing, tag: str) -> Outgoing:
    return msgspec.structs.replace(outgoing, headers={**outgoing.headers, "If-None-Match": tag})
