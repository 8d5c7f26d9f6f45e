"""One valid request of each operation: target, headers and body."""

from __future__ import annotations

import json

from governance.prove import sample_of
from tests.governance.prove.sample_desk import COUNT, GET, POST, PUT

DESK = {"account_id": "ACME", "size": "small", "holds": [{"kind": "lamp", "watts": 5}]}


def test_a_read_names_its_record_and_the_account() -> None:
    sample = sample_of(GET)
    assert (sample.method, sample.target) == ("GET", "/system/desks/v1/desks/D-1?account_id=ACME")
    assert (dict(sample.headers), sample.body) == ({"Accept": "application/json"}, None)


def test_given_arguments_go_before_samples() -> None:
    assert sample_of(GET, given={"desk_id": "D-1/2 %", "lit": True}).target == (
        "/system/desks/v1/desks/D-1%2F2%20%25?account_id=ACME&lit=true"
    )


def test_a_create_has_body_and_key() -> None:
    sample = sample_of(POST, key="k-1")
    assert json.loads(sample.body or b"") == DESK
    assert sample.headers["Idempotency-Key"] == '"k-1"'
    assert sample.headers["Content-Type"] == "application/json"


def test_a_change_holds_whatever_revision_is_there() -> None:
    sample = sample_of(PUT)
    assert (sample.target, sample.headers["If-Match"]) == ("/system/desks/v1/desks/D-1", "*")


def test_an_operation_without_key_gets_none() -> None:
    assert "Idempotency-Key" not in sample_of(COUNT).headers
