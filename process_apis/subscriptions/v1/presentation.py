"""Rows as what this version shows of them."""

from __future__ import annotations

from typing import Any

import msgspec

from process_apis.events.instants import instant
from process_apis.subscriptions.v1.model import Attempted, Delivery, DeliveryDetail, NewSecret, Subscription


def subscription_of(row: Any, now_us: int) -> Subscription:
    """A subscription without its secret."""
    rotating = bool(row.former_secret) and row.former_until_us > now_us
    return Subscription(
        subscription_id=row.subscription_id,
        account_id=row.account_id,
        url=row.url,
        types=msgspec.json.decode(row.types, type=tuple[str, ...]),
        subjects=msgspec.json.decode(row.subjects, type=tuple[str, ...]),
        description=row.description,
        contact=row.contact,
        status=row.status,
        reason=row.reason,
        secret_hint=row.secret[-4:],
        former_secret_until=instant(row.former_until_us) if rotating else None,
        failures=row.failures,
        failing_since=None if row.failing_since_us is None else instant(row.failing_since_us),
        delivered_at=None if row.delivered_us is None else instant(row.delivered_us),
        created_at=instant(row.created_us),
        updated_at=instant(row.updated_us),
        revision=row.revision,
    )


def with_secret(row: Any, now_us: int) -> NewSecret:
    """A subscription with the secret that it signs with."""
    return NewSecret(
        subscription=subscription_of(row, now_us),
        account_id=row.account_id,
        subscription_id=row.subscription_id,
        secret=row.secret,
    )


def delivery_of(row: Any, account_id: str) -> Delivery:
    """One event on its way."""
    return Delivery(
        account_id=account_id,
        subscription_id=row.subscription_id,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        status=row.status,
        attempts=row.attempts,
        next_attempt_at=instant(row.due_us) if row.status == "waiting" else None,
        ended_at=None if row.ended_us is None else instant(row.ended_us),
    )


def detail_of(row: Any, log: list[Any], account_id: str) -> DeliveryDetail:
    """A delivery with its attempts."""
    made = tuple(
        Attempted(
            at=instant(one.at_us),
            outcome=one.outcome,
            status=one.status,
            duration_ms=one.duration_ms,
            excerpt=one.excerpt,
        )
        for one in log
    )
    return DeliveryDetail(account_id=account_id, delivery=delivery_of(row, account_id), log=made)
