"""The embedded warehouse and carrier: goods move by themselves, on a SQLite file of their own.

A released shipment is picked, dispatched and delivered at moments fixed at its release. Nothing
runs in the background: whoever looks after such a moment takes the step, stores it with the time
it was due, and sees it, so it works the same after a restart, and what was seen once stays even
if the clock is set back. With ``manual = true`` steps are taken only by call.

It depends on nothing but its file; a file that can't be written raises ``sqlite3.OperationalError``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from governance.call import Clock
from governance.contract import Delivery
from governance.contract.problems import NotFound, Refusal
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Shipment, TrackingEvent
from system_apis.canonical.refusals import AlreadyShipped, ReferenceTaken, WrongState
from system_apis.canonical.values import AccountId, RecordId, Reference, Text
from system_apis.embedded import RecordFiles, fingerprint
from system_apis.logistics.connectors.embedded import changes, records
from system_apis.logistics.connectors.embedded import progress as moves
from system_apis.logistics.connectors.embedded.deliveries import notice_of
from system_apis.logistics.connectors.embedded.progress import UNDER_WAY, Progress, Route
from system_apis.logistics.notices import ShipmentNotice
from system_apis.logistics.port import ShipmentChange, ShipmentFilter, ShipmentRequest

T = TypeVar("T")
Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
Move = Callable[[Progress, Route, datetime], Progress]
LEDGER_LIMIT = 2**31


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When goods move by themselves, in seconds after release; ``manual``: only by call."""

    pick_after_s: Seconds = 0.5
    dispatch_after_s: Seconds = 1.0
    deliver_after_s: Seconds = 3.0
    manual: bool = False

    def __post_init__(self) -> None:
        if not self.pick_after_s <= self.dispatch_after_s <= self.deliver_after_s:
            raise ValueError("goods are picked, then dispatched, then delivered: the seconds must not fall")


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """What became of a shipment, for checks over several systems."""

    reference: Reference
    order_reference: Reference
    account_id: AccountId
    shipment_id: RecordId
    status: str


class Connector:
    """A ``LogisticsPort`` on the record file ``logistics``."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        self._settings = settings
        self._file = files.open("logistics", records.SCHEMA + changes.SCHEMA)
        self._clock = clock

    async def start(self) -> None:
        """Nothing to start: the file is open since this was made."""

    async def stop(self) -> None:
        """Nothing to stop: the record files are closed by who made them."""

    async def release_shipment(self, request: ShipmentRequest, reference: Reference) -> Shipment:
        """Tell the warehouse to pick and send, once per reference."""
        digest = fingerprint(request)
        now = self._clock.now()
        event = TrackingEvent(at=now, status="released", location=request.warehouse)
        first = Progress(
            status="released",
            due=self._schedule(now),
            promised_on=request.promised_on,
            last_event_at=now,
            events=(event,),
        )

        def work(connection: sqlite3.Connection) -> Shipment:
            records.refuse_barred(connection, reference)
            row = records.by_reference(connection, reference)
            if row is None:
                row = records.by_seq(connection, records.insert(connection, request, reference, digest, first))
            elif row["fingerprint"] != digest:
                raise ReferenceTaken(reference=reference, record_id=records.shipment_id(row["seq"]))
            return _present(connection, row)

        return await self._write(work, now)

    async def cancel_shipment(self, reference: Reference, account_id: AccountId) -> Shipment | None:
        """Undo the release of ``reference`` and bar the reference."""
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> Shipment | None:
            row = records.by_reference(connection, reference)
            if row is not None:
                _refuse_to_cancel(row, account_id)
            records.bar(connection, reference, now)
            if row is None:
                return None
            if row["status"] != "cancelled":
                cancelled = moves.cancel(records.progress_of(row), records.route_of(row), now)
                records.save(connection, row["seq"], cancelled)
            return _present(connection, records.by_seq(connection, row["seq"]))

        return await self._write(work, now)

    async def pick_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """Take the step from released to picked, once per reference."""
        change = ShipmentChange(reference=reference, shipment_id=shipment_id, kind="pick")
        return await self._change(change, account_id, ("released",), moves.step)

    async def dispatch_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """Take the step from picked to dispatched, once per reference."""
        change = ShipmentChange(reference=reference, shipment_id=shipment_id, kind="dispatch")
        return await self._change(change, account_id, ("picked",), moves.step)

    async def deliver_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """Take the step from dispatched or delayed to delivered, once per reference."""
        change = ShipmentChange(reference=reference, shipment_id=shipment_id, kind="deliver")
        return await self._change(change, account_id, ("dispatched", "delayed"), moves.step)

    async def delay_shipment(
        self, shipment_id: RecordId, account_id: AccountId, promised_on: date, note: Text, reference: Reference
    ) -> Shipment:
        """Put off what is to come until ``promised_on``, once per reference."""
        change = ShipmentChange(reference=reference, shipment_id=shipment_id, kind="delay")

        def move(progress: Progress, route: Route, now: datetime) -> Progress:
            return moves.delay(progress, route, promised_on, note, now)

        content = f"{promised_on.isoformat()} {note}"
        return await self._change(change, account_id, ("released", "picked", "dispatched", "delayed"), move, content)

    async def get_shipment(self, shipment_id: RecordId) -> Shipment:
        """The shipment of this number as it is now."""
        seq = records.sequence(shipment_id)
        return await self._read(lambda connection: _present(connection, records.by_seq(connection, seq)))

    async def list_shipments(self, which: ShipmentFilter, after: int, limit: int) -> tuple[tuple[int, Shipment], ...]:
        """Matching shipments above the key ``after``."""

        def work(connection: sqlite3.Connection) -> tuple[tuple[int, Shipment], ...]:
            rows = records.matching(connection, which, after, limit)
            return tuple((row["seq"], records.shipment_of(connection, row)) for row in rows)

        return await self._read(work)

    async def find_shipment_by_reference(self, reference: Reference) -> Shipment | None:
        """The shipment released under ``reference``."""

        def work(connection: sqlite3.Connection) -> Shipment | None:
            row = records.by_reference(connection, reference)
            return None if row is None else records.shipment_of(connection, row)

        return await self._read(work)

    async def find_change_by_reference(self, reference: Reference) -> ShipmentChange | None:
        """The change made by call under ``reference``."""
        made = await self._read(lambda connection: records.change_by_reference(connection, reference))
        return None if made is None else made[0]

    async def read_delivery(self, delivery: Delivery) -> ShipmentNotice | None:
        """What a webhook of such a warehouse says."""
        return notice_of(delivery)

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Changes after a position; steps whose moment has come are taken first."""
        return await self._read(lambda connection: changes.read(connection, after, limit))

    async def ledger(self) -> tuple[LedgerEntry, ...]:
        """Every shipment and what became of it, oldest first."""
        shipments = await self.list_shipments(ShipmentFilter(), 0, LEDGER_LIMIT)
        return tuple(
            LedgerEntry(
                reference=shipment.reference,
                order_reference=shipment.order_reference,
                account_id=shipment.account_id,
                shipment_id=shipment.shipment_id,
                status=shipment.status,
            )
            for _, shipment in shipments
        )

    def _schedule(self, released_at: datetime) -> tuple[datetime, ...]:
        if self._settings.manual:
            return ()
        delays_s = (self._settings.pick_after_s, self._settings.dispatch_after_s, self._settings.deliver_after_s)
        return tuple(released_at + timedelta(seconds=delay_s) for delay_s in delays_s)

    async def _change(
        self, change: ShipmentChange, account_id: AccountId, needs: tuple[str, ...], move: Move, content: str = ""
    ) -> Shipment:
        seq = records.sequence(change.shipment_id)
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> Shipment:
            row = records.by_seq(connection, seq)
            if row is None or row["account_id"] != account_id:
                raise NotFound
            made = records.change_by_reference(connection, change.reference)
            if made is None:
                if row["status"] not in needs:
                    raise WrongState(record_id=change.shipment_id, state=row["status"], needs=" or ".join(needs))
                records.save(connection, seq, move(records.progress_of(row), records.route_of(row), now))
                connection.execute(
                    "INSERT INTO change VALUES (?, ?, ?, ?)", (change.reference, seq, change.kind, content)
                )
            elif made != (change, content):
                raise ReferenceTaken(reference=change.reference, record_id=made[0].shipment_id)
            return _present(connection, records.by_seq(connection, seq))

        return await self._write(work, now)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        now = self._clock.now()

        def look(connection: sqlite3.Connection) -> tuple[T] | None:
            return None if records.anything_due(connection, now) else (work(connection),)

        seen = await self._file.read(look)
        return await self._write(work, now) if seen is None else seen[0]

    async def _write(self, work: Callable[[sqlite3.Connection], T], now: datetime) -> T:
        def settled(connection: sqlite3.Connection) -> tuple[T] | Refusal:
            records.settle(connection, now)
            try:
                return (work(connection),)
            except Refusal as refusal:  # refused before it wrote; the steps it saw must stay, so don't roll back
                return refusal

        outcome = await self._file.write(settled)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome[0]


def _present(connection: sqlite3.Connection, row: sqlite3.Row | None) -> Shipment:
    if row is None:
        raise NotFound
    return records.shipment_of(connection, row)


def _refuse_to_cancel(row: sqlite3.Row, account_id: AccountId) -> None:
    if row["account_id"] != account_id:
        raise NotFound
    if row["status"] in UNDER_WAY:
        raise AlreadyShipped(record_id=records.shipment_id(row["seq"]))
