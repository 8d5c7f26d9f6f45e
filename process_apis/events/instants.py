"""Instants in tables: microseconds since 1970 UTC, so that they sort and compare the same in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


def instant(moment_us: int) -> datetime:
    """The instant of ``microseconds``."""
    return EPOCH + moment_us * MICROSECOND
