"""The flow runtime of one process: accepts flows, runs them where it has the place, tells how they are.

Accepting a flow is one transaction: its rows and its place in the queue are both there or neither.
Any process accepts, cancels and reads; on SQLite one process runs them (``slot``), and another takes
over within a quarter of a second of its death, with everything that was under way (``tenure``).

A database that is away: accepting and reading raise ``SystemUnavailable``; flows under way wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from governance.call import Call, Clock, Foreground
from governance.contract import NotFound
from governance.contract.refusals import SystemUnavailable
from governance.database import URGENT, Migrations, close_engine, migrate, one_at_a_time, open_engine
from process_apis.events.migration import MIGRATIONS as EVENT_TABLES
from process_apis.flow.accepting import Acceptance
from process_apis.flow.companion import Companion
from process_apis.flow.migration import MIGRATIONS
from process_apis.flow.replaying import Replay, Replaying
from process_apis.flow.retention import Forget
from process_apis.flow.settings import FlowSettings
from process_apis.flow.signals import Signal
from process_apis.flow.slot import place_for
from process_apis.flow.steering import Judge, NoChoice, Steering
from process_apis.flow.table import Flow
from process_apis.flow.tables import flows
from process_apis.flow.tenure import Tenure
from process_apis.flow.trouble import Settlement

if TYPE_CHECKING:  # the workflow engine takes half a second to import, which only a process with flows should pay
    from process_apis.events.event import NewEvent
    from process_apis.flow.host import Host
    from process_apis.flow.watchdog import Watchdog

T = TypeVar("T")
State = TypeVar("State")
log = logging.getLogger("tiergate.flow")
OWN_TABLES = (MIGRATIONS, EVENT_TABLES)
NORMAL = 5
LOOK_S = 0.1


class FlowRuntime:
    """Durable flows for the process APIs of this process; does nothing where none is registered."""

    def __init__(self, settings: FlowSettings, clock: Clock, foreground: Foreground | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._foreground = foreground or Foreground()
        self._flows: list[tuple[Flow[Any], object]] = []
        self._adopted = list(OWN_TABLES)
        self._has_readers = False
        self._forgets: list[Forget] = []
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="flow-tables")
        self._tenure: Tenure | None = None
        self._watchdog: Watchdog | None = None
        self._watched: dict[str, asyncio.Event] = {}
        self._engine: sa.Engine | None = None
        self._host: Host | None = None
        self._companions: list[Companion] = []

    def register(self, flow: Flow[State], performer: object) -> None:
        """Have ``flow`` run here, its steps being methods of ``performer``; before ``start``."""
        self._flows.append((flow, performer))

    @property
    def registered(self) -> Mapping[str, Flow[Any]]:
        """The flows that this process knows, by name."""
        return {flow.name: flow for flow, _ in self._flows}

    def adopt(self, migrations: Migrations, forget: Forget | None = None) -> None:
        """Have these tables made or changed at the start, in the database of flows; before ``start``.

        ``forget`` takes out of them what belongs to flows that are too old.
        """
        self._has_readers = True
        if forget is not None and forget not in self._forgets:
            self._forgets.append(forget)
        if migrations not in self._adopted:
            self._adopted.append(migrations)

    @property
    def adopted(self) -> tuple[Migrations, ...]:
        """Whose tables this process keeps here; none where it has no flows and nothing was adopted."""
        return tuple(self._adopted) if self._flows or self._has_readers else ()

    def accompany(self, companion: Companion) -> None:
        """Have ``companion`` live as long as the runtime, which starts before and stops after it; before ``start``."""
        self._companions.append(companion)

    @property
    def running(self) -> bool:
        """Whether this process runs flows now."""
        return self._host is not None and self._host.launched

    async def start(self) -> None:
        """Open the database, migrate it, and take the place of the runner or wait for it.

        Raises:
            OSError: the state folder can't be written.
            sqlalchemy.exc.OperationalError: the database can't be reached.
        """
        if not self.adopted:
            return
        settings = self._settings
        settings.home.mkdir(parents=True, exist_ok=True)
        self._engine = open_engine(settings.home, settings.database_url, settings.connections)
        from process_apis.flow.host import Host
        from process_apis.flow.watchdog import Watchdog

        self._host = Host(self._engine, self._clock, settings, self._changed, self._foreground)
        await asyncio.to_thread(self._prepare, self._engine, self._host)
        if settings.run:
            place = place_for(self._engine, settings.home)
            self._tenure = Tenure(place, self._host, settings, self._clock, self.write, self._forgets)
            await self._tenure.start(self._flows)
            self._watchdog = Watchdog(self._host, self.registered, self._clock, settings.watch_s, self.read, self.write)
            await self._watchdog.start()
        for companion in self._companions:
            await companion.start()

    async def stop(self) -> None:
        """Let calls under way end, leave the flows to whoever comes next, close the database."""
        if self._engine is None or self._host is None:
            return
        for companion in reversed(self._companions):
            await companion.stop()
        if self._watchdog is not None:
            await self._watchdog.stop()
        if self._tenure is not None:
            await self._tenure.stop()
        await self._host.stop(self._settings.drain_s)
        if self._tenure is not None:
            await self._tenure.release()
        self._threads.shutdown(wait=True)
        close_engine(self._engine)
        self._engine = None

    async def accept(
        self,
        flow: Flow[State],
        flow_id: str,
        account_id: str,
        fingerprint: str,
        first: State,
        call: Call,
        *,
        priority: int = NORMAL,
        events: Sequence[NewEvent] = (),
    ) -> State:
        """Keep a new flow and queue it, or find the one of this id; its state.

        ``priority`` from 1, the most urgent, to 9; ``events`` tell that it is accepted, if it is.

        Raises:
            IdempotencyKeyReused: the id belongs to a flow with another ``fingerprint``.
            SystemUnavailable: the database is away; nothing was kept.
        """
        host = self._started
        acceptance = Acceptance(
            flow=flow, flow_id=flow_id, account_id=account_id, fingerprint=fingerprint, first=first, call=call,
            priority=priority, events=events, now=self._clock.now(),
        )  # fmt: skip
        return await self.write(lambda connection: acceptance.write(connection, host.enqueue))

    async def cancel(self, flow_id: str, reason: str) -> bool:
        """Ask a flow to turn back; False when it has passed its pivot or ended."""
        return await self._steered(flow_id, lambda to, connection: to.cancel(connection, flow_id, reason))

    async def amend(self, flow_id: str, body: bytes, source_id: str = "", judge: Judge | None = None) -> bool:
        """Ask a flow to undo everything and begin anew as ``body`` wishes; False when it has passed its pivot.

        A wish of the same ``source_id`` is followed once. ``judge`` may refuse a new one in its own transaction.
        """
        return await self._steered(
            flow_id, lambda to, connection: to.amend(connection, flow_id, body, source_id, judge)
        )

    async def signal(self, flow_id: str, name: str, body: bytes, source_id: str) -> bool:
        """Tell a flow something, which may come before the flow; False when this source told it already."""
        return await self._steered(
            flow_id, lambda to, connection: to.signal(connection, flow_id, name, body, source_id)
        )

    async def signals(self, told: Sequence[Signal]) -> None:
        """As ``signal``, for several flows in one transaction."""
        if not told:
            return
        steering = Steering(enqueue=self._started.enqueue, now=self._clock.now())
        in_order = sorted(told, key=lambda one: one.flow_id)  # so that no two wait in a circle

        def tell(connection: sa.Connection) -> None:
            for one in in_order:
                steering.signal(connection, one.flow_id, one.name, one.body, one.source_id)

        await self.write(tell)
        for one in in_order:
            self._started.wake(one.flow_id)

    async def settle(
        self, exception_id: str, settlement: Settlement, also: Callable[[sa.Connection], object] | None = None
    ) -> bool:
        """Let a flow go on as people decided; False when the exception is no longer open, or does not offer that.

        ``also`` is done in the same transaction; nothing is settled where it raises.
        """

        def decided(to: Steering, connection: sa.Connection) -> bool:
            if also is not None:
                also(connection)
            if not to.settle(connection, exception_id, settlement):
                raise NoChoice
            return True

        try:
            return await self._steered("", decided)
        except NoChoice:
            return False

    async def replay(self, flow_id: str, step: str, *, by: str, reason: str, dry_run: bool = False) -> Replay:
        """Do a flow again from ``step`` on, under its own id, or say what that would do.

        Raises:
            NotFound: there is no such flow, or none that this process knows.
        """
        return await self._replayed(
            flow_id, by, reason, lambda to, connection: to.replay(connection, flow_id, step, dry_run=dry_run)
        )

    async def rerun(
        self, flow_id: str, step: str, body: bytes, source_id: str, *, by: str, reason: str, dry_run: bool = False
    ) -> Replay:
        """Begin a corrected run of a flow that ended with everything undone, or say what that would do.

        ``body`` is the correction as the flow's ``renew`` reads it. One ``source_id`` makes one new flow.

        Raises:
            NotFound: there is no such flow, or none that this process knows.
        """
        return await self._replayed(
            flow_id, by, reason,
            lambda to, connection: to.rerun(connection, flow_id, step, body, source_id, dry_run=dry_run),
        )  # fmt: skip

    async def until(self, flow_id: str, look: Callable[[], Any], good: Callable[[Any], bool], seconds: float) -> Any:
        """What the coroutine function ``look`` gives once it is ``good``, or after ``seconds`` as it is then."""
        deadline = self._clock.monotonic() + seconds
        changed = self._watched.setdefault(flow_id, asyncio.Event())
        try:
            while True:
                changed.clear()
                seen = await look()
                left_s = deadline - self._clock.monotonic()
                if good(seen) or left_s <= 0:
                    return seen
                with self._foreground.resting(), suppress(TimeoutError):
                    # a change made by another process wakes nobody here, so look again soon
                    async with asyncio.timeout(min(left_s, LOOK_S)):
                        await changed.wait()
        finally:
            if self._watched.get(flow_id) is changed:
                self._watched.pop(flow_id, None)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` reads from Tiergate's own tables, off the event loop.

        Raises:
            SystemUnavailable: the database is away.
        """
        return await self._on_threads(lambda: self._connected(work))

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` returns, after everything it wrote is on disk; undone when it raises.

        Raises:
            SystemUnavailable: the database is away; nothing was written.
        """
        return await asyncio.shield(self._on_threads(lambda: self._transacted(work)))

    async def _steered(self, flow_id: str, work: Callable[[Steering, sa.Connection], bool]) -> bool:
        host = self._started
        steering = Steering(enqueue=host.enqueue, now=self._clock.now())
        done = await self.write(partial(work, steering))
        if done:
            host.wake(flow_id)
        return done

    async def _replayed(
        self, flow_id: str, by: str, reason: str, work: Callable[[Replaying, sa.Connection], Replay]
    ) -> Replay:
        host, now = self._started, self._clock.now()

        def replayed(connection: sa.Connection) -> Replay:
            name = connection.execute(sa.select(flows.c.flow).where(flows.c.flow_id == flow_id)).scalar()
            if (flow := self.registered.get(name or "")) is None:
                raise NotFound
            return work(Replaying(flow=flow, enqueue=host.enqueue, now=now, by=by, reason=reason), connection)

        return await self.write(replayed)

    @property
    def _started(self) -> Host:
        if self._host is None:
            raise SystemUnavailable(detail="Flows are not started here.")
        return self._host

    @property
    def _database(self) -> sa.Engine:
        if self._engine is None:
            raise SystemUnavailable(detail="Flows are not started here.")
        return self._engine

    async def _on_threads(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (OperationalError, PoolExhausted) as error:
            raise SystemUnavailable(detail="The database of orders is away.") from error

    def _connected(self, work: Callable[[sa.Connection], T]) -> T:
        with self._database.connect() as connection:
            return work(connection)

    def _transacted(self, work: Callable[[sa.Connection], T]) -> T:
        with self._database.connect().execution_options(**{URGENT: True}) as connection, connection.begin():
            return work(connection)

    def _prepare(self, engine: sa.Engine, host: Host) -> None:
        for migrations in self._adopted:
            migrate(engine, self._settings.home, migrations)
        with one_at_a_time(engine, self._settings.home):
            host.prepare()

    def _changed(self, flow_id: str) -> None:
        if watched := self._watched.get(flow_id):
            watched.set()
