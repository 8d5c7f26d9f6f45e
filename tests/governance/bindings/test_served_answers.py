"""The served binding's answers: entity tags, preconditions, locations, statuses, and problems that tell no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.bindings.edge import Edge
from tests.governance.bindings.sample_gateway import SHELVES, Reply, ask, assemble, edge_of

pytestmark = pytest.mark.anyio
BOOKS = f"{SHELVES}/books"
BOOK = f"{BOOKS}/b1"
GOOD = json.dumps({"title": "t", "copies": 1, "account_id": "A"}).encode()
KEY = {"Idempotency-Key": '"k"'}


@pytest.fixture(scope="module")
def edge() -> Edge:
    return edge_of(assemble())


@pytest.mark.rule("RFC 9110 §8.8.3", "A record's answer carries a strong entity tag")
async def test_a_read_is_tagged_with_its_revision(edge: Edge) -> None:
    reply = await ask(edge, "GET", BOOK)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["etag"] == '"3"'
    assert reply.json == {"book_id": "b1", "title": "quiet", "copies": 1, "account_id": "A", "revision": 3}


async def test_what_has_no_revision_is_tagged_by_its_bytes(edge: Edge) -> None:
    one, same, other = [await ask(edge, "GET", f"{SHELVES}/words/{word}") for word in ("a", "a", "b")]
    assert one.headers["etag"] == same.headers["etag"] != other.headers["etag"]
    assert one.headers["etag"].startswith('"')


@pytest.mark.rule("RFC 9110 §13.1.2", "If-None-Match with the tag that holds is answered 304")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("given", ['"3"', 'W/"3"', '"1", "3"', "*", ' "3" ', '"1",W/"3"'])
async def test_what_the_caller_has_is_not_sent_again(edge: Edge, method: str, given: str) -> None:
    reply = await ask(edge, method, BOOK, headers={"If-None-Match": given})
    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["etag"] == '"3"'
    assert reply.headers["request-id"]
    assert "content-length" not in reply.headers
    assert "content-type" not in reply.headers


@pytest.mark.parametrize("given", ['"4"', "3", '""', "nonsense", "", '"33"'])
async def test_what_the_caller_does_not_have_is_sent(edge: Edge, given: str) -> None:
    assert (await ask(edge, "GET", BOOK, headers={"If-None-Match": given})).status == 200


async def test_repeated_if_none_match_headers_are_one_list(edge: Edge) -> None:
    tags = [("If-None-Match", '"3"'), ("If-None-Match", '"4"')]
    assert (await ask(edge, "GET", BOOK, headers=tags)).status == 304


async def amend(edge: Edge, **headers: str) -> Reply:
    return await ask(
        edge, "PATCH", BOOK, body=GOOD, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.rule("RFC 9110 §13.1.1", "A change names its revision by If-Match")
async def test_a_change_names_the_revision_that_it_changes(edge: Edge) -> None:
    (await amend(edge)).problem(428, "precondition-required")
    (await amend(edge, if_match='"2"')).problem(412, "precondition-failed")
    reply = await amend(edge, if_match='"3"')
    assert (reply.status, reply.headers["etag"]) == (200, '"4"')


async def test_any_revision_is_the_services_to_judge(edge: Edge) -> None:
    (await amend(edge, if_match="*")).problem(412, "precondition-failed")  # this one changes revision 3 only
    (await amend(edge, if_match='"*"')).problem(412, "precondition-failed")


@pytest.mark.parametrize("given", ["3", 'W/"3"', '"3', '"3", "4"', '"a b"', "", '"\xff"', "**"])
async def test_a_malformed_if_match_is_named(edge: Edge, given: str) -> None:
    assert list((await amend(edge, if_match=given)).violations(400, "invalid-parameters")) == ["If-Match"]


async def test_an_upsert_needs_no_revision(edge: Edge) -> None:
    reply = await ask(edge, "PUT", BOOK, body=GOOD)
    assert (reply.status, reply.headers["etag"]) == (200, '"1"')


async def test_a_new_record_says_where_it_is(edge: Edge) -> None:
    reply = await ask(edge, "POST", BOOKS, body=GOOD, headers=KEY)
    assert reply.status == 201
    assert reply.headers["location"] == f"{BOOKS}/{reply.json['book_id']}"
    assert reply.headers["etag"] == '"1"'


async def test_accepted_work_is_202_and_untagged(edge: Edge) -> None:
    reply = await ask(edge, "POST", f"{BOOK}/bind", headers=KEY)
    assert (reply.status, reply.json["title"]) == (202, "bound")
    assert "etag" not in reply.headers


async def test_a_removed_record_has_no_body(edge: Edge) -> None:
    reply = await ask(edge, "DELETE", BOOK)
    assert (reply.status, reply.body) == (204, b"")
    assert "content-length" not in reply.headers
    assert "content-type" not in reply.headers


async def test_nothing_is_guessed_about_content(edge: Edge) -> None:
    for method, path in (("GET", BOOK), ("GET", f"{BOOKS}/missing"), ("DELETE", BOOK), ("OPTIONS", BOOK)):
        reply = await ask(edge, method, path)
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert len(reply.headers["request-id"]) == 32


@pytest.mark.rule("RFC 9457 §3", "A refusal is application/problem+json")
@pytest.mark.rule("RFC 9457 §3.1.2", "The member status repeats the status of the answer")
@pytest.mark.rule("RFC 9457 §3.2", "A problem type states its own members beside the standard ones")
async def test_a_business_refusal_carries_its_members(edge: Edge) -> None:
    body = json.dumps({"title": "lent", "copies": 1, "account_id": "A"}).encode()
    document = (await ask(edge, "POST", BOOKS, body=body, headers=KEY)).problem(409, "book-lent")
    document.pop("request_id")
    assert document == {
        "type": "/problems/book-lent",
        "title": "Somebody has it.",
        "status": 409,
        "detail": "Back in May.",
        "instance": BOOKS,
        "retryable": False,
        "book_id": "lent",
        "back_on": "2026-05-01",
    }


@pytest.mark.rule("RFC 9457 §3.1.3", "A type has one title, whatever happened")
async def test_nothing_there_says_nothing_more(edge: Edge) -> None:
    document = (await ask(edge, "GET", f"{BOOKS}/missing")).problem(404, "not-found")
    assert "detail" not in document
    assert "errors" not in document


async def test_a_system_that_is_away_says_when_to_come_back(edge: Edge) -> None:
    reply = await ask(edge, "GET", f"{BOOKS}/away")
    document = reply.problem(503, "unavailable")
    assert document["retryable"]
    assert "retry_after_s" not in document
    assert reply.headers["retry-after"] == "30"


@pytest.mark.rule("RFC 9457 §5", "A problem tells nothing of what is inside")
@pytest.mark.expects_unexpected
@pytest.mark.parametrize(("book_id", "cause"), [("bug", "KeyError"), ("undeclared", "Undeclared")])
async def test_a_bug_tells_its_cause_to_the_log_only(
    edge: Edge, unexpected: list[Any], book_id: str, cause: str
) -> None:
    reply = await ask(edge, "GET", f"{BOOKS}/{book_id}")
    document = reply.problem(500, "internal-error")
    assert not document["retryable"]
    assert set(document) == {"type", "title", "status", "instance", "request_id", "retryable"}
    for secret in (b"secret", b"Traceback", b"KeyError", b"undeclared.", b".py"):
        assert secret not in reply.body
    (record,) = unexpected
    assert cause in record.getMessage()
    assert reply.headers["request-id"] in record.getMessage()
