"""Bodies and answers of subscriptions v1. This version owns all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, RecordId

Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://[!-~]{1,1990}$",
        description="Where events are delivered to by POST: https, at a public address.",
        examples=["https://hooks.example.com/tiergate"],
    ),
]
EventPattern = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]{1,40}\.([a-z_]{1,40}|\*)$",
        description="A word such as `order.accepted`, or a whole family such as `order.*`.",
        examples=["order.*"],
    ),
]
Description = Annotated[str, Meta(max_length=200)]
Contact = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)?$",
        description="Who is written to when the endpoint is disabled; empty for nobody.",
    ),
]
Patterns = Annotated[tuple[EventPattern, ...], Meta(max_length=50, description="Which events; empty for all.")]
Subjects = Annotated[
    tuple[RecordId, ...], Meta(max_length=50, description="Of which records, such as orders; empty for all.")
]
Status = Literal["active", "paused", "disabled", "removed"]
DeliveryStatus = Literal["waiting", "delivered", "dead"]
Instant = Annotated[datetime, Meta(tz=True, description="An instant with its offset (RFC 3339).")]
OverlapSeconds = Annotated[
    int, Meta(ge=0, le=604_800, description="For how long the former secret signs as well, at most a week.")
]


class NewSubscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events of an account are delivered where."""

    account_id: AccountId
    url: Url
    types: Patterns = ()
    subjects: Subjects = ()
    description: Description = ""
    contact: Contact = ""


class SubscriptionChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    account_id: AccountId
    url: Url | None = None
    types: Patterns | None = None
    subjects: Subjects | None = None
    description: Description | None = None
    contact: Contact | None = None


class ForAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose subscription it is: named in every change, so that ownership is judged before the change."""

    account_id: AccountId


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long both secrets are good."""

    account_id: AccountId
    overlap_s: OverlapSeconds = 86_400


class Replay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are to be delivered again: those written from ``since`` until before ``until``."""

    account_id: AccountId
    since: Instant
    until: Instant | None = None
    only_dead: bool = False
    """Only what was given up."""


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription, without its secret."""

    subscription_id: RecordId
    account_id: AccountId
    url: str
    types: tuple[str, ...]
    subjects: tuple[str, ...]
    description: str
    contact: str
    status: Status
    reason: str
    """Why it is disabled."""
    secret_hint: str
    """The last four characters of the secret."""
    former_secret_until: datetime | None
    """Until when the former secret signs as well, while one is rotated."""
    failures: int
    """Attempts in a row that failed."""
    failing_since: datetime | None
    delivered_at: datetime | None
    """When something was delivered last."""
    created_at: datetime
    updated_at: datetime
    revision: int


class NewSecret(Struct, frozen=True, kw_only=True):
    """A signing secret. Keep it: it is shown here only."""

    subscription: Subscription
    account_id: AccountId
    subscription_id: RecordId
    secret: str


class Attempted(Struct, frozen=True, kw_only=True):
    """One attempt and what came of it."""

    at: datetime
    outcome: Literal["delivered", "refused", "unreachable", "too_slow", "forbidden", "expired"]
    status: int
    """The HTTP status; 0 where no answer came."""
    duration_ms: int
    excerpt: str
    """The beginning of the answer, or why none came."""


class Tested(Struct, frozen=True, kw_only=True):
    """What the endpoint did with a test event."""

    account_id: AccountId
    subscription_id: RecordId
    event_id: str
    attempt: Attempted


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint."""

    account_id: AccountId
    subscription_id: RecordId
    event_id: str
    type: str
    subject: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    """Not before then; None once it has ended."""
    ended_at: datetime | None


class DeliveryDetail(Struct, frozen=True, kw_only=True):
    """A delivery with its latest attempts, oldest first."""

    account_id: AccountId
    delivery: Delivery
    log: tuple[Attempted, ...]


class Replayed(Struct, frozen=True, kw_only=True):
    """How many events wait to be delivered again."""

    account_id: AccountId
    subscription_id: RecordId
    events: int
    complete: bool
    """False where there were more than are replayed at once: ask again from a later instant."""
