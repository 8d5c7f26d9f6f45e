"""Rate limits as values."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.policies.rate_limit import RateLimit, Settings


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("600/60s burst 100", RateLimit(100, 100_000)),
        ("600/60s", RateLimit(600, 100_000)),
        (" 10 / s ", RateLimit(10, 100_000)),
        ("3/1s burst 1", RateLimit(1, 333_334)),
        ("1/500ms", RateLimit(1, 500_000)),
        ("2/m burst 5", RateLimit(5, 30_000_000)),
        ("24/1d burst 1", RateLimit(1, 3_600_000_000)),
        ("999999999/1s burst 1", RateLimit(1, 1)),
    ],
)
def test_spellings(text: str, limit: RateLimit) -> None:
    assert RateLimit.parse(text) == limit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write it like"),
        ("600", "write it like"),
        ("600/60", "write it like"),
        ("600/60s burst", "write it like"),
        ("-1/60s", "write it like"),
        ("６/60s", "write it like"),
        ("0/60s", "admits nothing"),
        ("6/0s", "has no length"),
        ("6/60s burst 0", "at least one call"),
        ("1/300d burst 2", "quota"),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RateLimit.parse(text)


@given(st.integers(1, 10**6), st.integers(1, 10**7), st.floats(0.001, 1))
def test_shares_never_sum_to_more(burst: int, interval_us: int, part: float) -> None:
    limit = RateLimit(burst, interval_us)
    share = limit.share(part)
    assert share.burst <= max(1, burst * part)
    assert share.interval_us >= interval_us / part * (1 - 1e-12)


def test_settings_name_the_mistake() -> None:
    with pytest.raises(msgspec.ValidationError, match="'many' is not a rate limit"):
        msgspec.convert({"process": "many"}, Settings)
    with pytest.raises(msgspec.ValidationError, match="on_store_failure"):
        msgspec.convert({"on_store_failure": "maybe"}, Settings)
