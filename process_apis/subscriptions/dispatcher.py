"""The dispatcher: turns events into deliveries and makes the attempts that are due, for as long as the process lives.

It works in processes that run flows; a killed one is followed by another, which takes over its
attempts when their leases end. An endpoint has ``PLACES`` places and all of them together ``MOST``, so
that one that hangs delays none of the others. While the database is away nothing is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import random
from secrets import token_hex

import sqlalchemy as sa

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from governance.egress import GuardedClient
from process_apis.events.instants import microseconds
from process_apis.flow.runtime import FlowRuntime
from process_apis.subscriptions.attempts import Attempts
from process_apis.subscriptions.book import forget_removed
from process_apis.subscriptions.claims import Claimed, anything_due, claim
from process_apis.subscriptions.fan_out import anything_new, fan_out_once
from process_apis.subscriptions.figures import SCRAPED_S, DeliveryFigures, backlog
from process_apis.subscriptions.notices import Notices
from process_apis.subscriptions.outcomes import EXPIRED, record
from process_apis.subscriptions.payload import body_of, signed_request, valid_secrets
from process_apis.subscriptions.schedule import Chance
from process_apis.subscriptions.tables import attempts as attempt_log
from process_apis.subscriptions.tables import deliveries

log = logging.getLogger("tiergate.subscriptions")
LOOK_S = 0.25
AWAY_S = 1.0
MOST = 64
KEPT = timedelta(days=30)
TIDY_S = 3_600.0


class Dispatcher:
    """Delivers in this process."""

    def __init__(
        self,
        flows: FlowRuntime,
        clock: Clock,
        way_out: GuardedClient,
        notices: Notices | None = None,
        figures: DeliveryFigures | None = None,
        *,
        chance: Chance = random,
        look_s: float = LOOK_S,
    ) -> None:
        self._flows = flows
        self._clock = clock
        self._attempts = Attempts(way_out, clock)
        self._notices = notices
        self._figures = figures or DeliveryFigures()
        self._chance = chance
        self._look_s = look_s
        self._lease = token_hex(8)
        self._busy: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Look for work now and again."""
        self._tasks = [
            asyncio.create_task(self._go(), name="webhooks"),
            asyncio.create_task(self._tidy(), name="webhooks retention"),
            asyncio.create_task(self._measure(), name="webhooks figures"),
        ]
        if self._notices is not None:
            self._tasks.append(asyncio.create_task(self._write_letters(self._notices), name="webhooks letters"))

    async def stop(self) -> None:
        """Take nothing more, and give up what is under way: its leases end by themselves."""
        tasks = [*self._tasks, *self._under_way]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    async def look(self) -> int:
        """Fan out what is new and begin what is due; how many attempts began.

        Raises:
            SystemUnavailable: the database is away.
        """
        while await self._flows.read(anything_new):
            await self._flows.write(partial(fan_out_once, now=self._clock.now()))
        now_us = microseconds(self._clock.now())
        free = MOST - len(self._under_way)
        if free <= 0 or not await self._flows.read(partial(anything_due, now_us=now_us)):
            return 0
        take = partial(claim, now_us=now_us, lease=self._lease, busy=dict(self._busy), most=free)
        claimed = await self._flows.write(take)
        for one in claimed:
            self._begin(one)
        return len(claimed)

    async def settle(self) -> None:
        """Return when every attempt that is under way has ended."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def forget(self) -> int:
        """Remove deliveries that ended longer than ``KEPT`` ago, with their attempts; how many those were.

        Raises:
            SystemUnavailable: the database is away.
        """
        before_us = microseconds(self._clock.now() - KEPT)

        def work(connection: sa.Connection) -> int:
            forget_removed(connection, before_us)
            connection.execute(sa.delete(attempt_log).where(attempt_log.c.at_us < before_us))
            return connection.execute(sa.delete(deliveries).where(deliveries.c.ended_us < before_us)).rowcount

        return await self._flows.write(work)

    async def measure(self) -> None:
        """Read what waits, for whoever scrapes.

        Raises:
            SystemUnavailable: the database is away.
        """
        self._figures.backlog = await self._flows.read(partial(backlog, now_us=microseconds(self._clock.now())))

    def _begin(self, claimed: Claimed) -> None:
        endpoint = claimed.subscription.subscription_id
        self._busy[endpoint] += 1
        task = asyncio.create_task(self._deliver(claimed), name=f"webhook of {endpoint}")
        self._under_way.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._under_way.discard(done)
            self._busy[endpoint] -= 1
            self._ended.set()

        task.add_done_callback(ended)

    async def _deliver(self, claimed: Claimed) -> None:
        now = self._clock.now()
        if claimed.event is None:
            attempt = EXPIRED
        else:
            secrets = valid_secrets(claimed.subscription, microseconds(now))
            request = signed_request(
                claimed.subscription.url,
                body_of(claimed.event),
                claimed.event.event_id,
                secrets,
                int(now.timestamp()),
            )
            attempt = await self._attempts.make(request)
        ended = self._clock.now()
        self._figures.note(attempt, claimed.delivery, microseconds(ended))
        keep = partial(record, claimed=claimed, attempt=attempt, now=ended, chance=self._chance)
        try:
            if not await self._flows.write(keep):
                log.warning("an attempt at %s ended after its lease", claimed.delivery.subscription_id)
        except SystemUnavailable as error:  # the lease ends, and it is tried again
            log.warning("what came of an attempt can't be kept: %s", error.detail)
        if self._notices is not None and not attempt.delivered:
            self._notices.soon()

    async def _go(self) -> None:
        while True:
            try:
                began = await self.look() if self._flows.running else 0
            except SystemUnavailable as error:
                log.warning("webhooks wait for the database: %s", error.detail)
                await asyncio.sleep(AWAY_S)
                continue
            if not began:
                self._ended.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        await self._ended.wait()

    async def _write_letters(self, notices: Notices) -> None:
        """Apart from deliveries, which no mail system holds up."""
        while True:
            try:
                if self._flows.running:
                    await notices.look()
            except SystemUnavailable as error:
                log.warning("letters about endpoints wait: %s", error.detail)
            await asyncio.sleep(self._look_s)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_S)
            try:
                if self._flows.running:
                    await self.forget()
            except SystemUnavailable as error:
                log.warning("old deliveries can't be removed: %s", error.detail)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(SCRAPED_S)
            if not self._figures.wanted:
                continue
            self._figures.wanted = False
            try:
                await self.measure()
            except SystemUnavailable as error:
                log.warning("the figures of webhooks can't be read: %s", error.detail)
