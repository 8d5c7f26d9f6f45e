"""Looks, for as long as a process runs flows, for those that nobody carries (``lost``), and gets them going.

It also finds legs that the engine gave to this process and that never began here, such as in an outage of
the database between the two: they go back into the queue, and those of a flow that this process does not
know are given to people. After a start the engine takes up what was under way one by one, which may take it long on a
busy machine: a leg is left alone until it was seen so in three looks in a row, and while any other that waited as
long as that is still taken up.

When the database is away there is nothing to find; it looks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from process_apis.flow.lost import Mending, claimed_legs, lost_flows, name_of
from process_apis.flow.table import Flow

if TYPE_CHECKING:
    from process_apis.flow.host import Host

log = logging.getLogger("tiergate.flow")
unexpected = logging.getLogger("tiergate.unexpected")
PAUSE = 30
"""However many flows there are to look through, at most a thirtieth of the time goes into it."""
LONGEST_S = 10.0
OnThreads = Callable[[Callable[[sa.Connection], Any]], Awaitable[Any]]


class Watchdog:
    """One process's looks for flows that would stop without a word."""

    def __init__(
        self, host: Host, known: Mapping[str, Flow[Any]], clock: Clock, look_s: float, read: OnThreads, write: OnThreads
    ) -> None:
        self._host = host
        self._known = known
        self._clock = clock
        self._look_s = look_s
        self._read = read
        self._write = write
        self._idle: dict[str, int] = {}
        """Legs that nobody had in hand at the last look, and since when the engine holds them to be under way."""
        self._late: set[str] = set()
        """Those that were so at the look before as well."""
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now and then."""
        self._task = asyncio.create_task(self._go(), name="watchdog of flows")

    async def stop(self) -> None:
        """Look no more, once the look under way has ended."""
        self._over.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def look(self) -> None:
        """Get what is lost going.

        Raises:
            SystemUnavailable: the database is away.
        """
        for flow_id in await self._read(partial(lost_flows, names=list(self._known))):
            await self._mended(flow_id, partial(self._mending.mend, flow_id=flow_id))
        claimed: dict[str, int] = await self._read(partial(claimed_legs, executor=self._host.executor))
        carried = self._host.carrying()
        idle = {leg: since for leg, since in claimed.items() if leg not in carried}
        late = {leg for leg, since in idle.items() if self._idle.get(leg) == since}
        if self._late <= late:  # none of those that waited so long was taken up since
            for leg in self._late:
                await self._put_back(leg)
        self._idle, self._late = idle, late

    async def _put_back(self, leg: str) -> None:
        if await self._read(partial(name_of, workflow_id=leg)) in self._known:
            unexpected.error("%s: given to this process and never begun; queued again", leg)
            await asyncio.to_thread(self._host.queue_again, [leg])
        elif await self._mended(leg, partial(self._mending.give_up, workflow_id=leg)):
            await asyncio.to_thread(self._host.let_go, leg)

    async def _mended(self, name: str, work: Callable[[sa.Connection], bool]) -> bool:
        try:
            return bool(await self._write(work))
        except SQLAlchemyError as error:  # what is wrong with one flow must not keep the others from being found
            unexpected.error("%s: lost, and can't be mended", name, exc_info=error)
            return False

    @property
    def _mending(self) -> Mending:
        return Mending(known=self._known, enqueue=self._host.enqueue, now=self._clock.now())

    async def _go(self) -> None:
        took_s = 0.0
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self._look_s, took_s * PAUSE)):
                    await self._over.wait()
            if not self._host.launched or self._over.is_set():
                continue
            began = self._clock.monotonic()
            try:
                await self.look()
            except (SQLAlchemyError, SystemUnavailable) as error:
                log.warning("lost flows can't be looked for: %s", error)
            took_s = min(self._clock.monotonic() - began, LONGEST_S)
