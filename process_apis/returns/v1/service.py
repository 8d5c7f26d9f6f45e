"""Returns v1: accepts returns for the flow, hands on what people say about them, and shows how far they are.

A return's id is derived from who sent it and under which key, so the same key never makes two
returns. What people say (a decision, a receipt, an inspection) is kept as a signal of the flow in
one transaction; the first of each counts. A database that is away is answered with ``unavailable``.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import Call, Clock, current_call, derive_key
from governance.contract import CursorCodec, NotFound, Page, Violation
from governance.contract.refusals import InvalidBody
from process_apis.correspondence import NEEDS as CORRESPONDENCE
from process_apis.correspondence import Correspondence
from process_apis.events.migration import MIGRATIONS as EVENT_TABLES
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.signals import heard
from process_apis.flow.tables import timeline
from process_apis.flow.timeline import instant, microseconds
from process_apis.returns.book import ReturnFilter
from process_apis.returns.flow import BOOK, RETURNS
from process_apis.returns.migration import MIGRATIONS
from process_apis.returns.record import ENDED, OF_PROCESS, OPEN, Line, Receipt, ReturnRecord
from process_apis.returns.settings import ReturnSettings
from process_apis.returns.signals import DECISION, INSPECTION, RECEIPT
from process_apis.returns.steps import ReturnSteps
from process_apis.returns.v1.contract import ReturnsV1
from process_apis.returns.v1.model import (
    NewReturn,
    Return,
    ReturnCancellation,
    ReturnDecision,
    ReturnInspection,
    ReturnReceipt,
    ReturnStatus,
    Timeline,
)
from process_apis.returns.v1.showing import decision_of, entry_of, inspection_of, receipt_of, shown
from system_apis.canonical.refusals import FourEyes, QuantityExceeded, WrongState
from system_apis.canonical.values import AccountId, RecordId
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.payments.v1.contract import PaymentsV1

LIST = "returns.v1.list_returns"
PATIENCE_S = 1.0
"""How long the answer to what people say is held for the flow to take it up."""


class Returns(ReturnsV1):
    """Returns over the systems of record."""

    needs = (
        ErpV1.get_sales_order,
        ErpV1.list_invoices,
        ErpV1.list_returns,
        ErpV1.create_return,
        ErpV1.cancel_return,
        ErpV1.inspect_return,
        ErpV1.credit_return,
        ErpV1.get_credit_memo,
        LogisticsV1.list_shipments,
        PaymentsV1.list_payments,
        PaymentsV1.refund,
        CrmV1.get_subtree,
        *CORRESPONDENCE,
    )

    def __init__(
        self,
        erp: ErpV1,
        crm: CrmV1,
        logistics: LogisticsV1,
        payments: PaymentsV1,
        notifications: NotificationsV1,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
        settings: ReturnSettings | None = None,
    ) -> None:
        self._crm = crm
        self._flows = flows
        self._clock = clock
        self._cursors = cursors
        flows.adopt(EVENT_TABLES)
        flows.adopt(MIGRATIONS)
        letters = Correspondence(crm, notifications)
        flows.register(RETURNS, ReturnSteps(erp, logistics, payments, letters, settings or ReturnSettings()))

    async def create_return(self, goods: NewReturn) -> Return:
        """Ask to send goods of an order back."""
        call = current_call()
        _refuse_pretended(goods, call)
        now = self._clock.now()
        return_id = _return_id(call, goods.account_id)
        first = ReturnRecord(
            return_id=return_id,
            account_id=goods.account_id,
            order_id=goods.order_id,
            sales_order_id=goods.sales_order_id,
            reason=goods.reason,
            note=goods.note,
            lines=_merged(goods),
            status="requested",
            stage="requested",
            requested_at=now,
            updated_at=now,
            warehouse=goods.warehouse,
            requested_by=call.on_behalf_of.subject,
        )
        record = await self._flows.accept(RETURNS, return_id, goods.account_id, _fingerprint(goods), first, call)
        if call.wait_s > 0:
            record = await self._until(return_id, ("requested",), call.wait_s)
        return shown(record)

    async def get_return(self, return_id: RecordId) -> Return:
        """A return and how far it is."""
        return shown(await self._record(return_id))

    async def list_returns(
        self,
        *,
        account_id: AccountId | None = None,
        order_id: RecordId | None = None,
        status: ReturnStatus | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Return]:
        """Returns, newest first."""
        account_ids = await self._visible(account_id)
        filters = (account_ids, order_id, status, updated_since and updated_since.isoformat())
        last = self._cursors.decode(LIST, filters, cursor)
        after = (int(last[0]), str(last[1])) if last else None
        which = ReturnFilter(account_ids=account_ids, order_id=order_id, status=status, updated_since=updated_since)
        found = await self._flows.read(lambda connection: BOOK.find(connection, which, after, limit + 1))
        return self._cursors.page(LIST, filters, tuple(map(shown, found)), limit, _place_in_list)

    async def decide_return(self, return_id: RecordId, decision: ReturnDecision) -> Return:
        """Say yes or no to a return that waits for a decision."""
        goods = await self._own(return_id, decision.account_id)
        by = current_call().on_behalf_of.subject
        if by in (goods.requested_by, *goods.corrected_by):
            raise FourEyes(record_id=return_id, detail="Who asked for a return can't decide about it.")
        body = msgspec.json.encode(decision_of(decision, by))
        if goods.stage != "decide" or not await self._flows.signal(return_id, DECISION, body, DECISION):
            raise WrongState(record_id=return_id, state=goods.stage, needs="decide")
        return shown(await self._until_decided(return_id, max(current_call().wait_s, PATIENCE_S)))

    async def receive_return(self, return_id: RecordId, receipt: ReturnReceipt) -> Return:
        """Say what came back."""
        goods = await self._own(return_id, receipt.account_id)
        body = msgspec.json.encode(receipt_of(receipt))
        if not goods.is_expected or not await self._flows.signal(return_id, RECEIPT, body, RECEIPT):
            raise WrongState(record_id=return_id, state=goods.status, needs="authorised")
        answer = await self._answer(return_id, ("authorised",))
        if answer.status in ENDED:  # it was cancelled, or its time was over, at the same moment
            raise WrongState(record_id=return_id, state=answer.status, needs="authorised")
        return answer

    async def inspect_return(self, return_id: RecordId, inspection: ReturnInspection) -> Return:
        """Say what can be sold again, what is scrapped and what is not accepted."""
        goods = await self._own(return_id, inspection.account_id)
        if not goods.waits_for_inspection or goods.receipt is None:
            raise WrongState(record_id=return_id, state=goods.status, needs="received")
        _refuse_more(goods, goods.receipt, inspection)
        body = msgspec.json.encode(inspection_of(inspection, goods.receipt))
        if not await self._flows.signal(return_id, INSPECTION, body, INSPECTION):
            raise WrongState(record_id=return_id, state="inspected", needs="received")
        return await self._answer(return_id, ("received", "inspected", "credited"))

    async def cancel_return(self, return_id: RecordId, cancellation: ReturnCancellation) -> Return:
        """Cancel a return before its goods are here."""
        goods = await self._own(return_id, cancellation.account_id)
        if await self._flows.read(partial(_has_receipt, return_id)):  # the flow may not have taken it up yet
            raise WrongState(record_id=return_id, state="received", needs="requested or authorised")
        if goods.status != "cancelled" and not await self._flows.cancel(return_id, cancellation.reason):
            goods = await self._record(return_id)
            if goods.status != "cancelled":
                raise WrongState(record_id=return_id, state=goods.status, needs="requested or authorised")
        return await self._answer(return_id, tuple(OPEN))

    async def get_timeline(self, return_id: RecordId) -> Timeline:
        """What was done for a return, oldest first."""
        goods = await self._record(return_id)
        query = sa.select(timeline).where(timeline.c.flow_id == return_id).order_by(timeline.c.position)
        rows = await self._flows.read(lambda connection: connection.execute(query).all())
        entries = tuple(entry_of(row, instant(row.at_us)) for row in rows)
        return Timeline(return_id=return_id, account_id=goods.account_id, entries=entries)

    async def _record(self, return_id: str) -> ReturnRecord:
        return await self._flows.read(partial(BOOK.load, flow_id=return_id))

    async def _own(self, return_id: str, account_id: str) -> ReturnRecord:
        goods = await self._record(return_id)
        if goods.account_id != account_id:
            raise NotFound
        return goods

    async def _answer(self, return_id: str, leaving: tuple[str, ...]) -> Return:
        return shown(await self._until(return_id, leaving, max(current_call().wait_s, PATIENCE_S)))

    async def _until(self, return_id: str, leaving: tuple[str, ...], seconds: float) -> ReturnRecord:
        """The return once it has left these statuses, or rests in one of them for people to say something."""

        def is_good(goods: ReturnRecord) -> bool:
            return goods.status in ENDED or goods.status not in leaving or goods.stage == "decide"

        return await self._flows.until(return_id, partial(self._record, return_id), is_good, seconds)

    async def _until_decided(self, return_id: str, seconds: float) -> ReturnRecord:
        """The return once the flow has taken up what was decided."""
        return await self._flows.until(
            return_id, partial(self._record, return_id), lambda goods: goods.status != "requested", seconds
        )

    async def _visible(self, account_id: str | None) -> tuple[str, ...] | None:
        if account_id is not None:
            return (account_id,)
        accounts = current_call().on_behalf_of.accounts
        if accounts.reach == "all":
            return None
        if accounts.reach == "own":
            return accounts.ids
        trees = [await self._crm.get_subtree(root) for root in accounts.ids]
        return tuple(sorted({account for tree in trees for account in tree.account_ids}))


def _has_receipt(return_id: str, connection: sa.Connection) -> bool:
    return bool(heard(connection, return_id, (RECEIPT,))[0])


def _merged(goods: NewReturn) -> tuple[Line, ...]:
    units: dict[str, int] = {}
    for line in goods.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in units.items())


def _refuse_more(goods: ReturnRecord, receipt: Receipt, inspection: ReturnInspection) -> None:
    """Refuse more units than came, and more credit than was authorised."""
    authorised = {line.sku: line.quantity for line in goods.lines}
    named: dict[str, int] = {}
    accepted: dict[str, int] = {}
    for line in inspection.lines:
        named[line.sku] = named.get(line.sku, 0) + line.restocked + line.scrapped + line.rejected
        accepted[line.sku] = accepted.get(line.sku, 0) + line.restocked + line.scrapped
    for sku, units in named.items():
        if units > receipt.of(sku):
            raise QuantityExceeded(sku=sku, remaining=receipt.of(sku), requested=units)
        if accepted[sku] > authorised.get(sku, 0):
            raise QuantityExceeded(sku=sku, remaining=authorised.get(sku, 0), requested=accepted[sku])


def _refuse_pretended(goods: NewReturn, call: Call) -> None:
    """Keep a customer from passing by window and decision with the reason that the order's own process gives."""
    if goods.reason == OF_PROCESS and call.principal.acting_api is None and call.on_behalf_of.accounts.reach != "all":
        raise InvalidBody((Violation(pointer="/reason", detail="is given by the order's own process only"),))


def _return_id(call: Call, account_id: str) -> str:
    operation = "returns.v1." + call.operation_id.rpartition(".")[2]
    return "ret-" + derive_key("return", call.on_behalf_of.client_id, account_id, operation, call.key).lower()


def _fingerprint(goods: Struct) -> str:
    return hashlib.sha256(msgspec.json.encode(goods, order="deterministic")).hexdigest()


def _place_in_list(goods: Return) -> tuple[int, str]:
    return microseconds(goods.requested_at), goods.return_id
