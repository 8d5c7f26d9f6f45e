"""What is sent: the event as a CloudEvent, signed with every secret that is valid now.

Standards: CloudEvents 1.0.2, JSON event format §3 and HTTP protocol binding §3.2 (structured mode);
Standard Webhooks 1.0.0, "Webhook headers". ``webhook-id`` is the event's id, the same in every attempt
and replay, so that a receiver can tell a repeat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from governance.egress import Outgoing
from governance.webhooks import standard_key, standard_signature
from process_apis.events.event import Event
from process_apis.events.v1.model import CloudEvent

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
AGENT = "Tiergate-Webhooks/1"


def body_of(event: Event) -> bytes:
    """The event as the feed shows it."""
    return msgspec.json.encode(
        CloudEvent(
            specversion="1.0",
            id=event.event_id,
            source=event.source,
            type=f"tiergate.{event.type}.v{event.version}",
            subject=event.subject,
            time=event.at,
            sequence=f"{event.sequence:010}",
            datacontenttype="application/json",
            account_id=event.account_id,
            data=event.data,
        )
    )


def valid_secrets(row: Any, now_us: int) -> tuple[str, ...]:
    """The secrets of a subscription's row that are valid now, the newest first."""
    former = (row.former_secret,) if row.former_secret and row.former_until_us > now_us else ()
    return (row.secret, *former)


def signed_request(url: str, body: bytes, event_id: str, secrets: Iterable[str], at_s: int) -> Outgoing:
    """The request that delivers ``body``, signed at ``at_s`` Unix seconds."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": AGENT,
        "Webhook-Id": event_id,
        "Webhook-Timestamp": str(at_s),
        "Webhook-Signature": standard_signature(map(standard_key, secrets), event_id, at_s, body),
    }
    return Outgoing(method="POST", url=url, headers=headers, body=body)
