"""When a delivery that failed is tried again: ten attempts within three days.

The pauses are those of common practice for webhooks (Standard Webhooks 1.0.0, "Delivery attempts and
retries"), each a fifth longer or shorter by chance, so that what failed together does not come back
together. An endpoint that names a longer pause in ``Retry-After`` is given it, up to a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import random

MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 86_400
PAUSES_S = (
    5, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S,
)  # fmt: skip
ATTEMPTS = len(PAUSES_S) + 1
JITTER = 0.2
HOLD_S = 15 * MINUTE_S
"""How long an event waits at most for earlier ones of its subject that failed."""
DISABLE_AFTER_S = 5 * DAY_S
"""An endpoint that took nothing for so long is disabled."""
SECONDS = re.compile(r"[0-9]{1,6}")

Chance = Callable[[], float]
"""A number from 0 to 1."""


def pause_s(failed: int, headers: Mapping[str, str], chance: Chance = random) -> float | None:
    """Seconds after the ``failed``-th attempt until the next one; None after the last."""
    if failed >= ATTEMPTS:
        return None
    pause = PAUSES_S[failed - 1] * (1 - JITTER + 2 * JITTER * chance())
    asked = headers.get("retry-after", "")
    return max(pause, min(float(asked), DAY_S)) if SECONDS.fullmatch(asked) else pause
