"""Declarations of an end that nobody can mean are refused where they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from governance.contract import BrownOut, deprecated

SINCE, SUNSET = date(2026, 3, 1), date(2026, 12, 1)
BROWN_OUT = BrownOut(datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: deprecated(since=SUNSET, sunset=SINCE),
        lambda: deprecated(since=SINCE, sunset=SINCE),
        lambda: BrownOut(BROWN_OUT.begins.replace(tzinfo=None), BROWN_OUT.ends.replace(tzinfo=None)),
        lambda: BrownOut(BROWN_OUT.ends, BROWN_OUT.begins),
        lambda: BrownOut(BROWN_OUT.begins, BROWN_OUT.begins + timedelta(days=1, seconds=1)),
        lambda: deprecated(since=SINCE, sunset=date(2026, 11, 1), brown_outs=(BROWN_OUT,)),
        lambda: deprecated(since=date(2026, 11, 2), sunset=SUNSET, brown_outs=(BROWN_OUT,)),
    ],
)
def test_what_can_not_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"sunset|brown-out"):
        wrong()
