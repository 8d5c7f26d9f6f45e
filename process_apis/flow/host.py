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
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from governance.call import Clock
from process_apis.flow.serializer import FlowSerializer
from process_apis.flow.settings import FlowSettings
from process_apis.flow.table import Flow
from process_apis.flow.verdict import FlowStart
from process_apis.flow.worker import Worker

APPLICATION = "tiergate"
VERSION = "tiergate-flows-1"
QUEUE = "flows"
IN_MEMORY = 1_000
"""At most this many flows are in one process's memory; others stay in the queue."""
THREADS = 16
LISTEN_S = 0.2
"""Nothing here listens; it is how long the engine needs to notice a stop."""

STATUS = sa.table(
    "workflow_status", sa.column("workflow_uuid"), sa.column("status"), sa.column("executor_id"), schema="dbos"
)


class Host:
    """Queues flows in any process, and runs them in the one that launches it."""

    def __init__(self, engine: sa.Engine, clock: Clock, settings: FlowSettings, changed: Callable[[str], None]) -> None:
        logging.getLogger("dbos").setLevel(logging.WARNING)
        self._engine = engine
        self._poll_s = settings.poll_s
        self._client = DBOSClient(
            system_database_engine=engine, serializer=FlowSerializer(), application_name=APPLICATION, lazy=True
        )
        self._worker = Worker(engine, clock, settings, self._park, changed)
        self.launched = False

    def prepare(self) -> None:
        """Bring the engine's tables and the queue up to date, so that flows can be queued."""
        DBOS.migrate(self._engine.url.set(drivername=self._drivername).render_as_string(hide_password=False))
        self._client.register_queue(QUEUE, worker_concurrency=IN_MEMORY, polling_interval_sec=self._poll_s)

    def enqueue(self, connection: sa.Connection, flow: Flow[Any], flow_id: str) -> None:
        """Queue a new flow in the caller's transaction."""
        self._enqueue(connection, flow, FlowStart(flow_id=flow_id, first_step=flow.steps[0].name), None)

    def wake(self, flow_id: str) -> None:
        """Let a flow that sleeps in this process look at what changed."""
        self._worker.wake(flow_id)

    async def launch(self, executor: str, flows: Sequence[tuple[Flow[Any], object]]) -> None:
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
        DBOS(config=config)
        for flow, performer in flows:
            self._register(flow, performer)
        try:
            DBOS.launch()
        except BaseException:
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            raise
        self.launched = True

    def executors(self) -> list[str]:
        """Who has flows under way, by name; on SQLite there is only this process."""
        if self._schema is None:
            return []
        with self._engine.connect() as connection:
            pending = sa.select(STATUS.c.executor_id).where(STATUS.c.status == "PENDING").distinct()
            return [name for name in connection.execute(pending).scalars() if name]

    def take_over(self, executors: Sequence[str]) -> None:
        """Queue again what dead executors left under way."""
        with self._engine.connect() as connection:
            left = sa.select(STATUS.c.workflow_uuid).where(
                STATUS.c.status == "PENDING", STATUS.c.executor_id.in_(executors)
            )
            flow_legs = list(connection.execute(left).scalars())
        if flow_legs:
            self._client.resume_workflows(flow_legs, queue_name=QUEUE)

    async def stop(self, grace_s: float) -> None:
        """Let go of the flows, then stop the engine; what was under way stays so for the next executor."""
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # it warns of every flow that it lets go
        await self._worker.stop(grace_s)
        if self.launched:
            self.launched = False
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            # The engine had put its own threads under the loop and has ended them; others still need some.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))

    def _register(self, flow: Flow[Any], performer: object) -> None:
        async def carry_on(start: FlowStart) -> str:
            return await self._worker.carry_on(flow, performer, start)

        DBOS.workflow(name=flow.name, max_recovery_attempts=None)(carry_on)

    def _park(self, connection: sa.Connection, flow: Flow[Any], start: FlowStart, delay_s: float) -> None:
        self._enqueue(connection, flow, start, delay_s)

    def _enqueue(self, connection: sa.Connection, flow: Flow[Any], start: FlowStart, delay_s: float | None) -> None:
        options = EnqueueOptions(
            workflow_name=flow.name, queue_name=QUEUE, workflow_id=start.workflow_id, app_version=VERSION
        )
        if delay_s is not None:
            options["delay_seconds"] = delay_s
        self._client.enqueue_in_transaction(connection, options, start)

    @property
    def _drivername(self) -> str:
        return "sqlite" if self._engine.dialect.name == "sqlite" else "postgresql"

    @property
    def _schema(self) -> str | None:
        return None if self._engine.dialect.name == "sqlite" else "dbos"
