"""The workflow engine in this process: DBOS, with our database, our serializer and one queue.

The application version is pinned: a flow under way goes on under new code, which must therefore
keep the steps it may be at. The engine's own retries and timeouts are not used; steps ask again by
themselves (``asking``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from msgspec.structs import replace

from governance.call import Clock, Foreground
from process_apis.flow.engine_queue import look_only_for_work
from process_apis.flow.retention import old_legs
from process_apis.flow.seldom import once_in_a_while
from process_apis.flow.serializer import FlowSerializer
from process_apis.flow.settings import FlowSettings
from process_apis.flow.table import Flow
from process_apis.flow.tables import flows
from process_apis.flow.verdict import FlowStart, flow_of
from process_apis.flow.worker import Worker

APPLICATION = "tiergate"
VERSION = "tiergate-flows-1"
QUEUE = "flows"
IN_MEMORY = 1_000
"""At most this many flows are in one process's memory; others stay in the queue."""
THREADS = 16
FEW = 500
LISTEN_S = 0.2
"""Nothing here listens; it is how long the engine needs to notice a stop."""


class Host:
    """Queues flows in any process, and runs them in the one that launches it."""

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        settings: FlowSettings,
        changed: Callable[[str], None],
        foreground: Foreground,
    ) -> None:
        logging.getLogger("dbos").setLevel(logging.WARNING)
        once_in_a_while(logging.getLogger("dbos"))
        self._engine = engine
        self._poll_s = settings.poll_s
        self._client = DBOSClient(
            system_database_engine=engine, serializer=FlowSerializer(), application_name=APPLICATION, lazy=True
        )
        self._worker = Worker(engine, clock, settings, self.enqueue, changed, foreground)
        self.launched = False
        self.executor = ""
        """Under which name flows run here."""

    def prepare(self) -> None:
        """Bring the engine's tables and the queue up to date, so that flows can be queued."""
        DBOS.migrate(self._engine.url.set(drivername=self._drivername).render_as_string(hide_password=False))
        self._client.register_queue(QUEUE, worker_concurrency=IN_MEMORY, polling_interval_sec=self._poll_s)

    def enqueue(self, connection: sa.Connection, flow: str, start: FlowStart, priority: int) -> None:
        """Queue a leg of a flow in the caller's transaction; the lowest priority is the most urgent."""
        options = EnqueueOptions(
            workflow_name=flow, queue_name=QUEUE, workflow_id=start.workflow_id, app_version=VERSION, priority=priority
        )
        self._client.enqueue_in_transaction(connection, options, replace(start, priority=priority))

    def wake(self, flow_id: str) -> None:
        """Let a flow that sleeps in this process look at what changed."""
        self._worker.wake(flow_id)

    async def launch(self, executor: str, carried: Sequence[tuple[Flow[Any], object]]) -> None:
        """Run flows here as ``executor``, those first that it left under way."""
        config = DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._engine,
            serializer=FlowSerializer(),
            application_version=VERSION,
            executor_id=executor,
            log_level="WARNING",
            run_migrations=False,
            max_executor_threads=THREADS,
            notification_listener_polling_interval_sec=LISTEN_S,
        )
        running = DBOS(config=config)
        for flow, performer in carried:
            self._register(flow, performer)
        await asyncio.to_thread(self._count_crashes, [executor])
        try:
            DBOS.launch()
            look_only_for_work(running, self._engine)
        except BaseException:
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            raise
        self.executor = executor
        self.launched = True

    def executors(self) -> list[str]:
        """Who has flows under way, by name; on SQLite there is only this process."""
        if self._schema is None:
            return []
        with self._engine.connect() as connection:
            status = self._status.c
            pending = sa.select(status.executor_id).where(status.status == "PENDING").distinct()
            return [name for name in connection.execute(pending).scalars() if name]

    def take_over(self, executors: Sequence[str]) -> None:
        """Queue again what dead executors left under way."""
        self._count_crashes(executors)
        if flow_legs := self._left(executors):
            self.queue_again(flow_legs)

    def carrying(self) -> set[str]:
        """The legs that this process has in hand."""
        return self._worker.carrying

    def queue_again(self, legs: Sequence[str]) -> None:
        """Put legs that nobody carries back into the queue."""
        self._client.resume_workflows(list(legs), queue_name=QUEUE)

    def let_go(self, leg: str) -> None:
        """Have the engine forget that a leg is under way."""
        self._client.cancel_workflows([leg])

    def forget(self, now: datetime, kept: timedelta) -> int:
        """Forget some legs that ended longer ago than ``kept``; how many."""
        with self._engine.connect() as connection:
            legs = old_legs(connection, self._schema, now, kept)
        if legs:
            self._client.delete_workflows(legs)
        return len(legs)

    async def stop(self, grace_s: float) -> None:
        """Let go of the flows, then stop the engine; what was under way stays so for the next executor."""
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # it warns of every flow that it lets go
        await self._worker.stop(grace_s)
        if self.launched:
            self.launched = False
            # The engine puts its own threads under the loop, and ends them now; others need some all the while. What it
            # lets go meanwhile may put them there once more.
            loop = asyncio.get_running_loop()
            others = ThreadPoolExecutor(THREADS)
            loop.set_default_executor(others)
            await loop.run_in_executor(others, partial(DBOS.destroy, destroy_registry=True))
            loop.set_default_executor(others)

    def _register(self, flow: Flow[Any], performer: object) -> None:
        async def carry_on(start: FlowStart) -> str:
            return await self._worker.carry_on(flow, performer, start)

        DBOS.workflow(name=flow.name, max_recovery_attempts=None)(carry_on)

    def _left(self, executors: Sequence[str]) -> list[str]:
        status = self._status.c
        left = sa.select(status.workflow_uuid).where(status.status == "PENDING", status.executor_id.in_(executors))
        with self._engine.connect() as connection:
            return list(connection.execute(left).scalars())

    def _count_crashes(self, executors: Sequence[str]) -> None:
        """Note of every flow that these left under way that its process ended beneath it."""
        ids = sorted(set(map(flow_of, self._left(executors))))
        with self._engine.begin() as connection:
            for few in (ids[at : at + FEW] for at in range(0, len(ids), FEW)):
                crashed = (
                    sa.update(flows).where(flows.c.flow_id.in_(few)).values(crashes=flows.c.crashes + 1, wary=True)
                )
                connection.execute(crashed)

    @property
    def _drivername(self) -> str:
        return "sqlite" if self._engine.dialect.name == "sqlite" else "postgresql"

    @property
    def _status(self) -> sa.TableClause:
        columns = (sa.column("workflow_uuid", sa.Text), sa.column("status", sa.Text), sa.column("executor_id", sa.Text))
        return sa.table("workflow_status", *columns, schema=self._schema)

    @property
    def _schema(self) -> str | None:
        return None if self._engine.dialect.name == "sqlite" else "dbos"
