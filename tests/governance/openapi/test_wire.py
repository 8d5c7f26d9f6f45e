"""Whatever the served binding answers stands in the document, headers and members included."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from governance.openapi import document
from tests.governance.openapi.sample import API, Answered, Introduced, call, hotel

DOCUMENT: dict[str, Any] = document(API, [Introduced()])
JSON = {"content-type": "application/json"}
ROOM = b'{"code": "attic", "owner_id": "o", "place": {"floor": 1}, "means": {"means": "card", "token": "t"}}'


def resolved(node: Any) -> Any:
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def check(method: str, template: str, answer: Answered) -> None:
    """The answer is documented: status, required headers, no undocumented header, body."""
    responses = DOCUMENT["paths"][template][method.lower()]["responses"]
    assert str(answer.status) in responses, f"{answer.status} is not documented: {answer.body!r}"
    response = resolved(responses[str(answer.status)])
    documented = {name.lower(): resolved(header) for name, header in response.get("headers", {}).items()}
    assert {name for name, header in documented.items() if header.get("required")} <= set(answer.headers)
    assert set(answer.headers) - {"content-type", "content-length"} <= set(documented)
    if "content" not in response:
        assert answer.body == b""
        return
    (media_type, content), *_ = response["content"].items()
    assert answer.headers["content-type"] == media_type
    root = {**content["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(root).validate(answer.json)


@pytest.mark.parametrize(
    ("method", "template", "path", "headers", "body", "status"),
    [
        ("GET", "/rooms/{code}", "/rooms/attic", {}, b"", 200),
        ("GET", "/rooms/{code}", "/rooms/paid", {}, b"", 200),
        ("GET", "/rooms/{code}", "/rooms/attic", {"if-none-match": "*"}, b"", 304),
        ("GET", "/rooms/{code}", "/rooms/ATTIC", {}, b"", 400),
        ("GET", "/rooms/{code}", "/rooms/missing", {}, b"", 404),
        ("GET", "/rooms/{code}", "/rooms/attic", {"accept": "text/html"}, b"", 406),
        ("GET", "/rooms/{code}", "/rooms/locked", {}, b"", 409),
        ("GET", "/rooms/{code}", "/rooms/" + "a" * 400, {}, b"", 414),
        pytest.param("GET", "/rooms/{code}", "/rooms/bug", {}, b"", 500, marks=pytest.mark.expects_unexpected),
        ("GET", "/rooms/{code}", "/rooms/away", {}, b"", 503),
        ("GET", "/rooms", "/rooms?limit=1", {}, b"", 200),
        ("GET", "/rooms", "/rooms?limit=201&colour=red", {}, b"", 400),
        ("POST", "/rooms", "/rooms", JSON, ROOM, 201),
        ("POST", "/rooms", "/rooms", JSON, b"{", 400),
        ("POST", "/rooms", "/rooms", JSON, None, 408),
        ("POST", "/rooms", "/rooms", JSON, ROOM.replace(b"attic", b"taken"), 409),
        ("POST", "/rooms", "/rooms", JSON, b" " * 1_001, 413),
        ("POST", "/rooms", "/rooms", {}, ROOM, 415),
        ("POST", "/rooms", "/rooms", JSON, b'{"code": 1}', 422),
        ("PUT", "/rooms/{code}/place", "/rooms/attic/place", JSON, b'{"floor": 2}', 200),
        ("PATCH", "/rooms/{code}", "/rooms/attic", {**JSON, "if-match": '"1"'}, ROOM, 412),
        ("PATCH", "/rooms/{code}", "/rooms/attic", JSON, ROOM, 428),
        ("DELETE", "/rooms/{code}", "/rooms/attic", {}, b"", 204),
        ("POST", "/rooms/{code}/count", "/rooms/attic/count", {}, b"", 200),
        ("POST", "/stays", "/stays", JSON, ROOM, 202),
    ],
)
def test_an_answer_is_as_documented(
    method: str, template: str, path: str, headers: Mapping[str, str], body: bytes | None, status: int
) -> None:
    answer = asyncio.run(call(hotel(), method, API.prefix + path, headers, body))
    assert answer.status == status, answer.body
    # 414 is told before any operation, so no policy has left its headers on it
    if status == 414:
        answer.headers.setdefault("ratelimit", "")
    check(method, template, answer)
