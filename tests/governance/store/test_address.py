"""How a store's address is spelled."""

from __future__ import annotations

import pytest

from governance.store import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/valkey.sock", Address(path="/run/valkey.sock")),
        ("unix:///run/valkey.sock?db=3", Address(path="/run/valkey.sock", database=3)),
        ("redis://cache", Address(host="cache")),
        ("redis://cache:7000/2", Address(host="cache", port=7000, database=2)),
        ("redis://:p%40ss@cache", Address(host="cache", password="p@ss")),
        ("redis://gate:secret@[::1]:6380", Address(host="::1", port=6380, username="gate", password="secret")),
        ("rediss://cache?ca_file=/etc/ca.pem", Address(host="cache", tls=True, ca_file="/etc/ca.pem")),
    ],
)
def test_spellings(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "cache:6379", "http://cache", "redis://", "redis://cache/zero", "redis://cache?ssl=no"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="store's"):
        parse_address(text)


def test_a_password_shows_nowhere() -> None:
    address = parse_address("redis://gate:hunter2@cache/1")
    assert "hunter2" not in f"{address} {address!r} {[address]}"
    assert address.greeting() == [("AUTH", "gate", "hunter2"), ("SELECT", "1")]
