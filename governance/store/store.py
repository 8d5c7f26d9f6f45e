"""The store client of the call path: Valkey or Redis ≥ 7 over one auto-pipelined connection.

Guarantees, per event loop and process:

- A call ends within ``answer_timeout_s`` (150 ms unless told, so that a gateway's whole answer stays
  within 250 ms on a busy machine too), with the reply or with ``StoreUnavailable``; while the store is known to be away
  it ends at once.
- Replies are bytes, integers, None or lists of them; nothing is decoded.
- The connection is made again by itself, first at once, then with growing pauses (full jitter, at
  most half a second). A store that is loading its data counts as away. A connection
  that was lost with its greeting is never served, and a store that keeps hanging up counts as away.
- At most ``outstanding_limit`` calls wait; more are refused, so a slow store can't fill the memory.
- After a fork the child's copy serves nothing, so two processes never share a connection.

A lost call is not repeated here: whether it ran is unknown, and only its caller knows what that means.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar
from weakref import WeakSet

from msgspec import Struct

from governance.store.address import Address, parse_address
from governance.store.failures import StoreError, StoreUnavailable
from governance.store.line import Line, Retry
from governance.store.script import Script
from governance.store.wire import pack

Reply: TypeAlias = Any
"""``bytes | int | None | list[Reply]``: what the command is documented to reply with."""

T = TypeVar("T")

logger = logging.getLogger("tiergate.store")

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
SETTLED_S = 0.5
"""A connection that ends sooner than this is a failure to connect, and the next one waits as after any other."""


class StoreOptions(Struct, frozen=True, kw_only=True):
    """Bounds of the client."""

    answer_timeout_s: float = 0.15
    connect_timeout_s: float = 1.0
    outstanding_limit: int = 20_000


DEFAULTS = StoreOptions()


class Store:
    """A store for one event loop. ``start`` it before the first call."""

    def __init__(
        self, address: Address | str, *, scripts: Sequence[Script[Any]] = (), options: StoreOptions = DEFAULTS
    ) -> None:
        self.address = parse_address(address) if isinstance(address, str) else address
        self._options = options
        self._scripts: dict[bytes, Script[Any]] = {script.digest: script for script in scripts}
        self._line: Line | None = None
        self._away: str | None = "the store client was not started"
        """Why calls are refused at once; None while a call may wait for the connection."""
        self._settled = asyncio.Event()
        """Set when an attempt to connect has ended, either way."""
        self._keeper: asyncio.Task[None] | None = None
        _stores.add(self)

    @property
    def connected(self) -> bool:
        """Whether the store answered the last greeting and the connection stands."""
        return self._line is not None

    def prepare(self, *scripts: Script[Any]) -> None:
        """Have ``scripts`` loaded with every new connection, so that their first call costs no extra trip."""
        for script in scripts:
            self._scripts[script.digest] = script

    async def start(self, *, patience_s: float = 5.0) -> None:
        """Connect, and stay connected. Returns when the store answers or ``patience_s`` is over.

        Raises:
            StoreUnavailable: it did not answer in that time; the client is closed again.
        """
        if self._keeper is None:
            self._away = None
            self._keeper = asyncio.get_running_loop().create_task(self._stay_connected(), name="store connection")
        try:
            async with asyncio.timeout(patience_s):
                while self._line is None:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            reason = self._away or "it does not answer"
            await self.close()
            raise StoreUnavailable(f"no store at {self.address}: {reason}") from None

    async def close(self) -> None:
        """Give up the connection; waiting calls get ``StoreUnavailable``."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        self._away = "the store client is closed"
        if self._line is not None:
            self._line.close()
        await asyncio.sleep(0)  # asyncio closes an aborted connection in the loop's next turn

    def command(self, *parts: bytes | str | int) -> Awaitable[Reply]:
        """The reply to one command, such as ``await store.command(b"GET", key)``.

        Raises:
            StoreUnavailable: no answer in time, no connection, or too many calls wait.
            StoreRefused: the store says that the command is wrong.
        """
        line = self._line
        return self._later(pack(parts), None) if line is None else line.send(pack(parts))

    def run(self, script: Script[T], keys: Sequence[bytes], arguments: Sequence[bytes]) -> Awaitable[T]:
        """What ``script`` replies, run atomically in the store.

        Raises:
            StoreUnavailable: no answer in time, no connection, or too many calls wait.
            StoreRefused: the script failed.
        """
        retry = (script, keys, arguments)
        call = script.call(keys, arguments)
        line = self._line
        return self._later(call, retry) if line is None else line.send(call, retry)

    async def _later(self, command: bytes, retry: Retry | None) -> Reply:
        if self._away is not None:
            raise StoreUnavailable(self._away)
        try:
            async with asyncio.timeout(self._options.answer_timeout_s):
                while (line := self._line) is None:
                    if self._away is not None:
                        raise StoreUnavailable(self._away)
                    self._settled.clear()
                    await self._settled.wait()
                return await line.send(command, retry)
        except TimeoutError:
            raise StoreUnavailable("the connection to the store did not come back in time") from None

    async def _stay_connected(self) -> None:
        loop, failed = asyncio.get_running_loop(), 0
        while True:
            try:
                line = await self._connect()
            except (OSError, StoreError) as error:
                self._say_away(str(error) or "it can't be reached in time")
                failed += 1
                await self._pause(failed)
                continue
            if line.lost.done():  # right after the greeting, before this task went on
                self._say_away(str(line.lost.result()))
            else:
                self._serve(line)
            began = loop.time()
            await asyncio.wait((line.lost,))  # not awaited itself: our own cancellation would cancel it
            failed = failed + 1 if loop.time() - began < SETTLED_S else 0
            if failed > 1:
                self._say_away(str(line.lost.result()))
            if failed:  # what greets and hangs up would be greeted without end
                await self._pause(failed)

    def _serve(self, line: Line) -> None:
        self._line, self._away = line, None
        self._settled.set()
        logger.info("the store at %s answers", self.address)

    async def _pause(self, failed: int) -> None:
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failed, 10))
        await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311 - jitter, no secret

    def _dropped(self, line: Line) -> None:
        if self._line is line:
            self._line = None
            if line.hung:  # it would hang the next calls too: refuse them until it greets again
                self._say_away(str(line.lost.result()))

    def _say_away(self, reason: str) -> None:
        if self._away is None:
            logger.warning("the store at %s is away: %s", self.address, reason)
        self._away = reason
        self._settled.set()

    async def _connect(self) -> Line:
        loop, options = asyncio.get_running_loop(), self._options
        line = Line(loop, timeout_s=options.answer_timeout_s, limit=options.outstanding_limit, on_end=self._dropped)
        try:
            async with asyncio.timeout(options.connect_timeout_s):
                await self._open(loop, line)
                await self._greet(line)
        except BaseException:
            line.close()
            raise
        return line

    async def _open(self, loop: asyncio.AbstractEventLoop, line: Line) -> None:
        address = self.address
        if address.path:
            await loop.create_unix_connection(lambda: line, address.path)
        else:
            await loop.create_connection(lambda: line, address.host, address.port, ssl=address.tls_context())

    async def _greet(self, line: Line) -> None:
        greeting = [line.send(pack(command)) for command in self.address.greeting()]
        greeting += [line.send(pack((b"SCRIPT", b"LOAD", script.source))) for script in self._scripts.values()]
        greeting.append(line.send(pack((b"PING",))))
        for reply in await asyncio.gather(*greeting, return_exceptions=True):
            if isinstance(reply, BaseException):
                raise reply

    def forget(self) -> None:
        """Serve nothing any more without touching the connection: it belongs to the process that forked."""
        if self._line is not None:
            self._line.forget()
        self._line = self._keeper = None
        self._away = "this process was forked: it needs a store client of its own"


_stores: WeakSet[Store] = WeakSet()


def _after_fork() -> None:
    for store in list(_stores):
        store.forget()


os.register_at_fork(after_in_child=_after_fork)
