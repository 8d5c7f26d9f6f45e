"""What an attempt leads to: delivered, tried again later, a dead letter, or an endpoint that is disabled.

All of it is one transaction with the attempt's row in the log. A holder that lost its lease changes
nothing but the log. An endpoint is disabled when it is gone (410), or when it took nothing for
``DISABLE_AFTER_S``: the event ``subscription.disabled`` is written with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from process_apis.events.instants import instant, microseconds
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.subscription import SubscriptionDisabled
from process_apis.subscriptions.attempts import Attempt
from process_apis.subscriptions.claims import Claimed
from process_apis.subscriptions.schedule import DISABLE_AFTER_S, Chance, pause_s
from process_apis.subscriptions.tables import attempts, deliveries, subscriptions

EXPIRED = Attempt(outcome="expired", excerpt="The log keeps this event no longer.")


def record(connection: sa.Connection, claimed: Claimed, attempt: Attempt, now: datetime, chance: Chance) -> bool:
    """Keep what came of an attempt; False where its lease was lost meanwhile."""
    delivery, now_us = claimed.delivery, microseconds(now)
    connection.execute(
        sa.insert(attempts).values(
            subscription_id=delivery.subscription_id,
            position=delivery.position,
            at_us=now_us,
            duration_ms=attempt.duration_ms,
            status=attempt.status,
            outcome=attempt.outcome,
            excerpt=attempt.excerpt,
        )
    )
    mine = (
        deliveries.c.subscription_id == delivery.subscription_id,
        deliveries.c.position == delivery.position,
        deliveries.c.lease == claimed.lease,
        deliveries.c.status == "waiting",
    )
    becomes = _becomes(delivery.attempts + 1, attempt, now_us, chance)
    if not connection.execute(sa.update(deliveries).where(*mine).values(**becomes)).rowcount:
        return False
    _endpoint(connection, delivery.subscription_id, attempt, now)
    return True


def disable(connection: sa.Connection, row: Any, reason: str, now: datetime) -> None:
    """Deliver no more to a subscription's endpoint, and say so."""
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == row.subscription_id)
        .values(
            status="disabled", reason=reason, revision=row.revision + 1, updated_us=microseconds(now), notified_us=None
        )
    )
    told = SubscriptionDisabled(
        subscription_id=row.subscription_id,
        account_id=row.account_id,
        reason=reason,
        failures=row.failures,
        failing_since=None if row.failing_since_us is None else instant(row.failing_since_us),
    )
    append(connection, [happened(told, subject=row.subscription_id, account_id=row.account_id)], now)


def _becomes(made: int, attempt: Attempt, now_us: int, chance: Chance) -> dict[str, Any]:
    becomes: dict[str, Any] = {"attempts": made, "lease": "", "lease_until_us": 0}
    if attempt.delivered:
        return {**becomes, "status": "delivered", "ended_us": now_us}
    pause = None if attempt.outcome == "expired" else pause_s(made, attempt.headers, chance)
    if pause is None:
        return {**becomes, "status": "dead", "ended_us": now_us}
    return {**becomes, "due_us": now_us + round(pause * 1_000_000)}


def _endpoint(connection: sa.Connection, subscription_id: str, attempt: Attempt, now: datetime) -> None:
    this = sa.update(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    now_us = microseconds(now)
    if attempt.delivered:
        connection.execute(this.values(failures=0, failing_since_us=None, delivered_us=now_us))
        return
    if attempt.outcome == "expired":
        return
    since = sa.func.coalesce(subscriptions.c.failing_since_us, now_us)
    failed = this.values(failures=subscriptions.c.failures + 1, failing_since_us=since).returning(subscriptions)
    row = connection.execute(failed).one()
    if row.status == "disabled":
        return
    if attempt.gone:
        disable(connection, row, "The endpoint answered 410: it is gone.", now)
    elif now_us - row.failing_since_us >= DISABLE_AFTER_S * 1_000_000:
        disable(connection, row, f"The endpoint took nothing for {DISABLE_AFTER_S // 86_400} days.", now)
