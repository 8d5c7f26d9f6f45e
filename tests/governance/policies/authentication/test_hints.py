"""Prefer (RFC 7240 §4.3) and traceparent (W3C Trace Context §3.2)."""

from __future__ import annotations

import pytest

from governance.policies.authentication.hints import traceparent, wait_s


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"wait=5", 5.0),
        (b"respond-async, wait=10", 10.0),
        (b"wait=10, respond-async", 10.0),
        (b"WAIT = 7", 7.0),
        (b'wait="3"', 3.0),
        (b"return=minimal; wait=4", 4.0),
        (b"wait=2.5", 2.5),
        (b"wait=100", 30.0),
        (b"wait=0", 0.0),
        (b"wait=-1", 0.0),
        (b"wait=soon", 0.0),
        (b"wait", 0.0),
        (b"wait=", 0.0),
        (b"await=5", 0.0),
        (b"wait=5x", 0.0),
        (b"wait=99999999999999999999", 0.0),
        (b"\xff", 0.0),
    ],
)
def test_how_long_a_caller_waits(value: bytes, seconds: float) -> None:
    assert wait_s({b"prefer": value}, 30.0) == seconds


def test_a_caller_that_says_nothing_does_not_wait() -> None:
    assert wait_s({}, 30.0) == 0.0


GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("value", [GOOD, GOOD.replace("-01", "-00")])
def test_a_trace_is_taken_up(value: str) -> None:
    assert traceparent({b"traceparent": value.encode()}) == value


@pytest.mark.parametrize(
    "value",
    ["", "00", GOOD.upper(), GOOD + "-x", "ff" + GOOD[2:], "00-" + "0" * 32 + GOOD[35:], GOOD[:36] + "0" * 16 + "-01"],
)
def test_a_malformed_trace_is_left_out(value: str) -> None:
    assert traceparent({b"traceparent": value.encode()}) is None
