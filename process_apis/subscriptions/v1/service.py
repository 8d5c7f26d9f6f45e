"""Subscriptions v1 over the tables of subscriptions; the dispatcher delivers beside it.

A URL is judged by the guard of the way out when it is named, and again at every attempt. A secret is
shown by the call that made it, and by a repeat of that call under its key. When the database is away
the answer is ``unavailable`` and nothing was done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from governance.call import Clock, current_call, derive_key
from governance.contract import CursorCodec, NotFound, Page
from governance.contract.refusals import PreconditionFailed
from governance.egress import Egress, ForbiddenDestination
from governance.telemetry import CallMetrics
from governance.webhooks import new_secret
from process_apis.events.event import Event
from process_apis.events.instants import microseconds
from process_apis.events.migration import MIGRATIONS as EVENTS
from process_apis.flow.runtime import FlowRuntime
from process_apis.subscriptions import book
from process_apis.subscriptions.attempts import Attempts
from process_apis.subscriptions.dispatcher import Dispatcher
from process_apis.subscriptions.fan_out import begin_at_the_end
from process_apis.subscriptions.figures import DeliveryFigures
from process_apis.subscriptions.migration import MIGRATIONS
from process_apis.subscriptions.notices import Notices
from process_apis.subscriptions.payload import body_of, signed_request, valid_secrets
from process_apis.subscriptions.refusals import DestinationRefused
from process_apis.subscriptions.tables import subscriptions
from process_apis.subscriptions.v1.contract import SubscriptionsV1
from process_apis.subscriptions.v1.model import (
    Attempted,
    Delivery,
    DeliveryDetail,
    ForAccount,
    NewSecret,
    NewSubscription,
    Replay,
    Replayed,
    Rotation,
    Subscription,
    SubscriptionChange,
    Tested,
)
from process_apis.subscriptions.v1.presentation import delivery_of, detail_of, subscription_of, with_secret
from system_apis.canonical.refusals import WrongState
from system_apis.canonical.values import AccountId, RecordId
from system_apis.notifications.v1.contract import NotificationsV1

T = TypeVar("T")
LIST = "subscriptions.v1.list_subscriptions"
DELIVERIES = "subscriptions.v1.list_deliveries"
ANY = "*"


class Subscriptions(SubscriptionsV1):
    """Endpoints of partners, and what is delivered to them."""

    needs = (NotificationsV1.send_message,)

    def __init__(
        self,
        notifications: NotificationsV1,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
        egress: Egress,
        metrics: CallMetrics,
    ) -> None:
        flows.adopt(EVENTS)
        flows.adopt(MIGRATIONS)
        figures = DeliveryFigures()
        metrics.include(figures)
        flows.accompany(Dispatcher(flows, clock, egress.guarded, Notices(flows, clock, notifications), figures))
        self._flows = flows
        self._clock = clock
        self._cursors = cursors
        self._guarded = egress.guarded
        self._attempts = Attempts(egress.guarded, clock)

    async def create_subscription(self, subscription: NewSubscription) -> NewSecret:
        """Deliver an account's events from now on."""
        await self._judge(subscription.url)
        subscription_id = f"sub-{derive_key('subscription', current_call().key).lower()}"
        row = await self._flows.write(partial(self._made, subscription_id=subscription_id, new=subscription))
        return with_secret(row, self._now_us)

    async def list_subscriptions(
        self, *, account_id: AccountId | None = None, status: Any = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Subscription]:
        """Subscriptions, oldest first."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, status)
        last = self._cursors.decode(LIST, filters, cursor)
        after = (int(last[0]), str(last[1])) if last else None
        look = partial(book.page, accounts=accounts, status=status, after=after, limit=limit + 1)
        rows = await self._flows.read(look)
        found = self._cursors.page(LIST, filters, rows, limit, lambda row: (row.created_us, row.subscription_id))
        return Page(tuple(subscription_of(row, self._now_us) for row in found.items), found.next_cursor)

    async def get_subscription(self, subscription_id: RecordId) -> Subscription:
        """A subscription and how its endpoint does."""
        row = await self._flows.read(partial(book.one, subscription_id=subscription_id))
        return subscription_of(row, self._now_us)

    async def amend_subscription(self, subscription_id: RecordId, change: SubscriptionChange) -> Subscription:
        """Change where to, or what of."""
        if_match = current_call().if_match
        if change.url is not None:
            await self._changing(subscription_id, change.account_id, lambda _, row: row)
            await self._judge(change.url)

        def work(connection: sa.Connection, row: Any) -> Any:
            if if_match not in (None, ANY, str(row.revision)):
                raise PreconditionFailed()
            wanted = {"url": change.url, "description": change.description, "contact": change.contact}
            values: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
            for name, texts in (("types", change.types), ("subjects", change.subjects)):
                if texts is not None:
                    values[name] = msgspec.json.encode(texts).decode()
            return book.change(connection, row, self._clock.now(), **values)

        return await self._shown(subscription_id, change.account_id, work)

    async def remove_subscription(self, subscription_id: RecordId, *, account_id: AccountId) -> None:
        """Deliver nothing more, and forget."""

        def work(connection: sa.Connection) -> None:
            book.retire(connection, book.one(connection, subscription_id, account_id), self._clock.now())

        await self._flows.write(work)

    async def pause_subscription(self, subscription_id: RecordId, pause: ForAccount) -> Subscription:
        """Deliver nothing for now."""

        def work(connection: sa.Connection, row: Any) -> Any:
            if row.status == "disabled":
                raise WrongState(record_id=subscription_id, state=row.status, needs="active")
            return row if row.status == "paused" else book.change(connection, row, self._clock.now(), status="paused")

        return await self._shown(subscription_id, pause.account_id, work)

    async def resume_subscription(self, subscription_id: RecordId, resume: ForAccount) -> Subscription:
        """Deliver again."""

        def work(connection: sa.Connection, row: Any) -> Any:
            if row.status == "active":
                return row
            book.hurry(connection, subscription_id, self._now_us)
            fresh = {"status": "active", "reason": "", "failures": 0, "failing_since_us": None, "notified_us": None}
            return book.change(connection, row, self._clock.now(), **fresh)

        return await self._shown(subscription_id, resume.account_id, work)

    async def rotate_secret(self, subscription_id: RecordId, rotation: Rotation) -> NewSecret:
        """Sign with a new secret, and for some time with the former one as well."""
        key = current_call().key[:40]

        def work(connection: sa.Connection, row: Any) -> Any:
            if row.rotation == key:
                return row
            until_us = self._now_us + rotation.overlap_s * 1_000_000
            fresh = {"secret": new_secret(), "former_secret": row.secret, "former_until_us": until_us}
            return book.change(connection, row, self._clock.now(), rotation=key, **fresh)

        row = await self._changing(subscription_id, rotation.account_id, work)
        return with_secret(row, self._now_us)

    async def test_subscription(self, subscription_id: RecordId, test: ForAccount) -> Tested:
        """Deliver a test event now, once."""
        row = await self._changing(subscription_id, test.account_id, lambda _, row: row)
        now = self._clock.now()
        event = Event(
            position=0,
            event_id=f"evt-{derive_key('test', current_call().key).lower()}",
            type="subscription.test",
            version=1,
            subject=subscription_id,
            sequence=0,
            account_id=row.account_id,
            source="/process",
            at=now,
            data=msgspec.Raw(msgspec.json.encode({"subscription_id": subscription_id})),
        )
        secrets = valid_secrets(row, microseconds(now))
        request = signed_request(row.url, body_of(event), event.event_id, secrets, int(now.timestamp()))
        made = await self._attempts.make(request)
        told: Any = made.outcome
        attempt = Attempted(
            at=now, outcome=told, status=made.status, duration_ms=made.duration_ms, excerpt=made.excerpt
        )
        return Tested(
            account_id=row.account_id, subscription_id=subscription_id, event_id=event.event_id, attempt=attempt
        )

    async def replay_events(self, subscription_id: RecordId, replay: Replay) -> Replayed:
        """Deliver a range of events again."""
        span = book.Span(
            since_us=microseconds(replay.since),
            until_us=None if replay.until is None else microseconds(replay.until),
            only_dead=replay.only_dead,
        )
        return await self._replayed(subscription_id, replay.account_id, span)

    async def replay_event(self, subscription_id: RecordId, event_id: str, replay: ForAccount) -> Replayed:
        """Deliver one event again."""
        return await self._replayed(subscription_id, replay.account_id, book.Span(event_id=event_id))

    async def list_deliveries(
        self, subscription_id: RecordId, *, status: Any = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Delivery]:
        """What was and will be delivered."""
        accounts = current_call().listed_accounts(None)
        row = await self._flows.read(partial(book.one, subscription_id=subscription_id))
        if accounts is not None and row.account_id not in accounts:
            raise NotFound()
        filters = (subscription_id, status)
        last = self._cursors.decode(DELIVERIES, filters, cursor)
        after = int(last[0]) if last else -1
        look = partial(book.delivery_page, subscription_id=subscription_id, status=status, after=after, limit=limit + 1)
        found = self._cursors.page(
            DELIVERIES, filters, await self._flows.read(look), limit, lambda one: (one.position,)
        )
        return Page(tuple(delivery_of(one, row.account_id) for one in found.items), found.next_cursor)

    async def get_delivery(self, subscription_id: RecordId, event_id: str) -> DeliveryDetail:
        """One delivery with every attempt."""
        row = await self._flows.read(partial(book.one, subscription_id=subscription_id))
        look = partial(book.delivery_of, subscription_id=subscription_id, event_id=event_id)
        delivery, log = await self._flows.read(look)
        return detail_of(delivery, log, row.account_id)

    async def _replayed(self, subscription_id: str, account_id: str, span: book.Span) -> Replayed:
        def work(connection: sa.Connection, row: Any) -> tuple[int, bool]:
            return book.replay(connection, row, span, self._now_us)

        count, complete = await self._changing(subscription_id, account_id, work)
        if span.event_id is not None and not count:
            raise NotFound()
        return Replayed(account_id=account_id, subscription_id=subscription_id, events=count, complete=complete)

    async def _judge(self, url: str) -> None:
        try:
            await self._guarded.judge(url)
        except ForbiddenDestination as error:
            raise DestinationRefused(detail=str(error)) from None

    async def _changing(self, subscription_id: str, account_id: str, work: Callable[[sa.Connection, Any], T]) -> T:
        def there(connection: sa.Connection) -> T:
            row = book.one(connection, subscription_id, account_id)
            if row.status == book.REMOVED:
                raise WrongState(record_id=subscription_id, state=row.status, needs="active")
            return work(connection, row)

        return await self._flows.write(there)

    async def _shown(
        self, subscription_id: str, account_id: str, work: Callable[[sa.Connection, Any], Any]
    ) -> Subscription:
        return subscription_of(await self._changing(subscription_id, account_id, work), self._now_us)

    def _made(self, connection: sa.Connection, subscription_id: str, new: NewSubscription) -> Any:
        query = sa.select(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
        if (known := connection.execute(query).first()) is not None:
            return known
        now_us = self._now_us
        values = {
            "subscription_id": subscription_id,
            "account_id": new.account_id,
            "url": new.url,
            "description": new.description,
            "contact": new.contact,
            "types": msgspec.json.encode(new.types).decode(),
            "subjects": msgspec.json.encode(new.subjects).decode(),
            "status": "active",
            "reason": "",
            "secret": new_secret(),
            "former_secret": "",
            "former_until_us": 0,
            "rotation": "",
            "revision": 1,
            "since_position": begin_at_the_end(connection),
            "failures": 0,
            "created_us": now_us,
            "updated_us": now_us,
        }
        return connection.execute(sa.insert(subscriptions).values(values).returning(subscriptions)).one()

    @property
    def _now_us(self) -> int:
        return microseconds(self._clock.now())
