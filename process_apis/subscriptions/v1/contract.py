"""Subscriptions, version 1: events by webhook."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, amend, by, create, read, remove, search
from process_apis.events.v1.model import EventId
from process_apis.subscriptions.refusals import DestinationRefused
from process_apis.subscriptions.v1.model import (
    Delivery,
    DeliveryDetail,
    DeliveryStatus,
    ForAccount,
    NewSecret,
    NewSubscription,
    Replay,
    Replayed,
    Rotation,
    Status,
    Subscription,
    SubscriptionChange,
    Tested,
)
from system_apis.canonical.refusals import WrongState
from system_apis.canonical.values import AccountId, RecordId

READ = "subscriptions.subscriptions:read"
WRITE = "subscriptions.subscriptions:write"


class SubscriptionsV1(Contract, Protocol, owner="Integration platform"):
    """An account's events, delivered to an endpoint of its own.

    Deliveries are signed as Standard Webhooks has it, come in order for each subject, are tried ten
    times within three days, and can be replayed.
    """

    @create(
        "/subscriptions",
        scope=WRITE,
        raises=[DestinationRefused],
        visible=by("account_id"),
        location="/subscriptions/{subscription_id}",
    )
    async def create_subscription(self, subscription: NewSubscription) -> NewSecret:
        """Have events of an account delivered from now on. The answer alone shows the signing secret."""
        ...

    @search("/subscriptions", scope=READ, visible=by("account_id"))
    async def list_subscriptions(
        self,
        *,
        account_id: AccountId | None = None,
        status: Status | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Subscription]:
        """Subscriptions, oldest first, by account or status."""
        ...

    @read("/subscriptions/{subscription_id}", scope=READ, visible=by("account_id"))
    async def get_subscription(self, subscription_id: RecordId) -> Subscription:
        """A subscription and how its endpoint does."""
        ...

    @amend(
        "/subscriptions/{subscription_id}",
        scope=WRITE,
        raises=[DestinationRefused, WrongState],
        visible=by("account_id"),
    )
    async def amend_subscription(self, subscription_id: RecordId, change: SubscriptionChange) -> Subscription:
        """Change where to, or what of. What waits already is delivered to the new place."""
        ...

    @remove("/subscriptions/{subscription_id}", scope=WRITE, visible=by("account_id"))
    async def remove_subscription(self, subscription_id: RecordId, *, account_id: AccountId) -> None:
        """Deliver nothing more, and forget the secret; the rest, with its log, is shown as `removed` for a month."""
        ...

    @action("/subscriptions/{subscription_id}/pause", scope=WRITE, raises=[WrongState], visible=by("account_id"))
    async def pause_subscription(self, subscription_id: RecordId, pause: ForAccount) -> Subscription:
        """Deliver nothing for now: events wait."""
        ...

    @action("/subscriptions/{subscription_id}/resume", scope=WRITE, raises=[WrongState], visible=by("account_id"))
    async def resume_subscription(self, subscription_id: RecordId, resume: ForAccount) -> Subscription:
        """Deliver again, what waits at once. What passed by while it was disabled can be replayed."""
        ...

    @action(
        "/subscriptions/{subscription_id}/rotate-secret", scope=WRITE, raises=[WrongState], visible=by("account_id")
    )
    async def rotate_secret(self, subscription_id: RecordId, rotation: Rotation) -> NewSecret:
        """Sign with a new secret, and for some time with the former one as well."""
        ...

    @action("/subscriptions/{subscription_id}/test", scope=WRITE, raises=[WrongState], visible=by("account_id"))
    async def test_subscription(self, subscription_id: RecordId, test: ForAccount) -> Tested:
        """Deliver a test event now, once, whatever the status, and tell what the endpoint did."""
        ...

    @action("/subscriptions/{subscription_id}/replay", scope=WRITE, raises=[WrongState], visible=by("account_id"))
    async def replay_events(self, subscription_id: RecordId, replay: Replay) -> Replayed:
        """Deliver a range of events again, as far as the log keeps them and the filters admit them."""
        ...

    @action(
        "/subscriptions/{subscription_id}/deliveries/{event_id}/replay",
        scope=WRITE,
        raises=[WrongState],
        visible=by("account_id"),
    )
    async def replay_event(self, subscription_id: RecordId, event_id: EventId, replay: ForAccount) -> Replayed:
        """Deliver one event again, as if it had never been."""
        ...

    @search("/subscriptions/{subscription_id}/deliveries", scope=READ, visible=by("account_id"))
    async def list_deliveries(
        self,
        subscription_id: RecordId,
        *,
        status: DeliveryStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Delivery]:
        """What was and will be delivered, in the order of the events; `dead` for what was given up."""
        ...

    @read("/subscriptions/{subscription_id}/deliveries/{event_id}", scope=READ, visible=by("account_id"))
    async def get_delivery(self, subscription_id: RecordId, event_id: EventId) -> DeliveryDetail:
        """One delivery with every attempt: its status, how long it took, and how the answer began."""
        ...
