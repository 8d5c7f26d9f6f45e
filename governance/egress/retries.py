"""When an exchange is worth repeating, and after how long.

Repeated are what never reached the vendor (no connection), what it hung up on without a word, 502, 503
and 504, and 429 where it says when to come back. Not repeated is what was too slow: it used
the time up, and the vendor may still be at it. The pause is full jitter over a growing bound, or
what ``Retry-After`` says (RFC 9110 §10.2.3) as long as that is short.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from governance.egress.exchange import Reply
from governance.egress.failures import Broken, ExchangeFailed, NotConnected

UNABLE = frozenset({502, 503, 504})
FIRST_S = 0.05
LONGEST_S = 2.0
LONGEST_ASKED_S = 5.0
"""A vendor that asks for a longer pause is not waited for within a call."""

Outcome = Reply | ExchangeFailed


def pause_s(outcome: Outcome, attempt: int, now: datetime) -> float | None:
    """Seconds before attempt ``attempt`` + 1 (the first is 1), or None where it is of no use."""
    if isinstance(outcome, Reply):
        asked_s = retry_after_s(outcome, now)
        if outcome.status == 429 or (outcome.status in UNABLE and asked_s is not None):
            return asked_s if asked_s is not None and asked_s <= LONGEST_ASKED_S else None
        if outcome.status not in UNABLE:
            return None
    elif not (isinstance(outcome, NotConnected) or (isinstance(outcome, Broken) and outcome.silent)):
        return None
    return random.uniform(0, min(LONGEST_S, FIRST_S * 2**attempt))  # noqa: S311 - jitter, no secret


def retry_after_s(reply: Reply, now: datetime) -> float | None:
    """What ``Retry-After`` says, in seconds from ``now``; None where it says nothing that can be read."""
    said = reply.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
