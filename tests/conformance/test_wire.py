"""What the wire refuses, on every operation: the stated problem, documented, never a 500."""

from __future__ import annotations

import json

import pytest

from governance.contract import Operation
from governance.prove import Reply, Sample, sample_of
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, WITH_BODY

pytestmark = pytest.mark.anyio
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def refused(served: Served, operation: Operation, reply: Reply, status: int, problem: str) -> None:
    """The answer is this problem, and the operation's document says that it can come."""
    assert (reply.status, reply.problem) == (status, problem), reply.body
    assert reply.headers["request-id"]
    document = served.documented(operation)
    assert str(status) in document["responses"], f"{status} is not documented"


def sample(operation: Operation, case: str) -> Sample:
    return sample_of(operation, key=f"{case}-{operation.id}")


@pytest.mark.parametrize("name", EVERY)
async def test_a_valid_request_gets_a_documented_answer(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "valid")
    reply = await served.send(one.method, one.target, served.authorized(operation, one.headers), one.body)
    assert reply.status < 500, reply.body
    assert str(reply.status) in served.documented(operation)["responses"]
    assert reply.problem not in ("invalid-body", "invalid-parameters", "malformed-request"), reply.body


@pytest.mark.parametrize("name", EVERY)
async def test_an_unknown_query_parameter_is_refused(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "query")
    target = f"{one.path}?nobody_knows=1"
    reply = await served.send(one.method, target, served.authorized(operation, one.headers), one.body)
    refused(served, operation, reply, 400, "invalid-parameters")
    assert "nobody_knows" in reply.body.decode()


@pytest.mark.parametrize("name", EVERY)
async def test_html_is_not_served(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "accept")
    headers = served.authorized(operation, {**one.headers, "Accept": "text/html"})
    refused(served, operation, await served.send(one.method, one.target, headers, one.body), 406, "not-acceptable")


@pytest.mark.parametrize("name", EVERY)
async def test_another_method_is_refused_with_those_that_are_there(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "method")
    there = {other.method for other in served.operations.values() if other.path == operation.path}
    method = next(method for method in METHODS if method not in there)
    reply = await served.send(method, one.target, {"Accept": "application/json"}, None)
    assert (reply.status, reply.problem) == (405, "method-not-allowed")
    allowed = {method.strip() for method in reply.headers["allow"].split(",")}
    assert there <= allowed
    assert method not in allowed


@pytest.mark.parametrize("name", WITH_BODY)
async def test_another_content_type_is_refused(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "type")
    headers = served.authorized(operation, {**one.headers, "Content-Type": "text/xml"})
    reply = await served.send(one.method, one.target, headers, one.body)
    refused(served, operation, reply, 415, "unsupported-media-type")


@pytest.mark.parametrize("name", WITH_BODY)
async def test_every_violation_of_a_body_is_pointed_at(served: Served, name: str) -> None:
    operation = served.operations[name]
    one = sample(operation, "violations")
    body = {member: {"no": ["such", "value"]} for member in json.loads(one.body or b"{}")}
    text = json.dumps({**body, "nobody/knows": 1}).encode()
    reply = await served.send(one.method, one.target, served.authorized(operation, one.headers), text)
    refused(served, operation, reply, 422, "invalid-body")
    pointers = {error["pointer"] for error in json.loads(reply.body)["errors"]}
    assert "#/nobody~1knows" in pointers or "/nobody~1knows" in pointers, pointers
    assert len(pointers) > len(body) or not body, pointers


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": 1, "a": 2}', b'"\xff"', b"null"], ids=repr)
async def test_a_broken_body_is_refused(served: Served, name: str, body: bytes) -> None:
    operation = served.operations[name]
    one = sample(operation, "broken")
    reply = await served.send(one.method, one.target, served.authorized(operation, one.headers), body)
    assert reply.status in (400, 422), reply.body
    assert reply.problem in ("malformed-request", "invalid-body"), reply.body
    assert str(reply.status) in served.documented(operation)["responses"]
