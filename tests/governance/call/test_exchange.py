"""Requests and exchanges: repeated headers, and what a stage may ask for too early."""

from __future__ import annotations

from typing import Any

import pytest

from governance.call import Exchange, Request
from governance.contract import operation_of
from tests.governance.bindings.sample_apis import ShelvesV1


async def nothing() -> Any:
    raise AssertionError("nobody reads the body")


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request(method="GET", path="/", query=b"", raw_headers=list(headers), peer="::1", receive=nothing)


def test_repeated_headers_are_one_list() -> None:
    joined = request((b"accept", b"a"), (b"x", b"1"), (b"accept", b"b;q=1"), (b"accept", b"c")).headers
    assert joined == {b"accept": b"a, b;q=1, c", b"x": b"1"}
    assert request((b"accept", b"a"), (b"x", b"1")).headers == {b"accept": b"a", b"x": b"1"}


def test_a_stage_that_asks_too_early_is_told() -> None:
    exchange = Exchange(operation_of(ShelvesV1.get_book), "local")
    with pytest.raises(RuntimeError, match=r"shelves\.v1\.get_book: a local call has no request"):
        _ = exchange.served
    with pytest.raises(RuntimeError, match=r"shelves\.v1\.get_book: the call is not identified yet"):
        _ = exchange.under
