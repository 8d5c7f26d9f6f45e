"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000


def duration(milliseconds: int) -> str:
    """Such as ``12 ms``, ``1.2 s``, ``4 min 05 s``, ``3 h 20 min`` or ``2 d 4 h``."""
    left = abs(milliseconds)
    if left < SECOND_MS:
        return f"{left} ms"
    if left < MINUTE_MS:
        return f"{left / SECOND_MS:.1f} s"
    if left < HOUR_MS:
        return f"{left // MINUTE_MS} min {left % MINUTE_MS // SECOND_MS:02} s"
    if left < DAY_MS:
        return f"{left // HOUR_MS} h {left % HOUR_MS // MINUTE_MS:02} min"
    return f"{left // DAY_MS} d {left % DAY_MS // HOUR_MS} h"


def moment(text: str | None) -> str:
    """An RFC 3339 instant as ``2026-11-21 10:00:00`` UTC; a dash for none."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if text else "–"


def until(text: str, now: datetime) -> str:
    """How far an instant is from now, such as ``in 2 h 10 min`` or ``4 min 05 s ago``."""
    away_ms = round((datetime.fromisoformat(text) - now).total_seconds() * 1_000)
    return f"in {duration(away_ms)}" if away_ms >= 0 else f"{duration(away_ms)} ago"
