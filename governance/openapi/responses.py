"""The answers of one operation: its success, and every problem by status.

Problems of one status are told apart by ``type``: a ``oneOf`` with a discriminator (RFC 9457 §3.1.1).
What many operations answer alike stands once under ``components``; operations that demand an
``Idempotency-Key`` have variants of their own, because their answers say whether they are replays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import NoneType
from typing import Any

from governance.call.policy import Documented
from governance.contract.errors import ContractError
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.openapi.schemas import Schema, Schemas, markdown
from governance.openapi.wire import ENTITY_TAG

LONGEST_NAME = 100
PROBLEM: Schema = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "The problem's page. New types may come."},
        "title": {"type": "string", "description": "One sentence that is the same for every problem of the type."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What was wrong this time, for people."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Finds the call in logs and traces."},
        "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
        "errors": {
            "type": "array",
            "description": "Every violation of an invalid request.",
            "items": {"$ref": "#/components/schemas/ProblemViolation"},
        },
    },
    "required": ["type", "title", "status", "instance", "request_id", "retryable"],
}
STREAM: Schema = {
    "type": "string",
    "description": "Server-sent events: each has an `id`, and one line of `data` in the form of `x-item-schema`.",
}
VIOLATION: Schema = {
    "type": "object",
    "description": "One broken rule: where it is broken, and what is wrong.",
    "properties": {
        "detail": {"type": "string"},
        "pointer": {"type": "string", "format": "json-pointer", "description": "Into the body (RFC 6901)."},
        "parameter": {"type": "string", "description": "The path or query parameter."},
        "header": {"type": "string", "description": "The request header."},
    },
    "required": ["detail"],
}


class Responses:
    """Builds the answers of one document's operations and keeps what they share."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._problems: dict[str, type[Problem]] = {}
        self._shared: dict[str, Schema] = {}
        self._headers: dict[str, Mapping[str, Any]] = {}

    def of(self, operation: Operation, parts: Iterable[Documented]) -> dict[str, Schema]:
        """Every answer of an operation, by status.

        Raises:
            ContractError: two problems have the same type.
        """
        parts = tuple(parts)
        answers = {operation.success_status: self._success(operation, parts)}
        if operation.safe and not operation.streams:
            headers = {**_merged(part.every_header for part in parts), "ETag": ENTITY_TAG}
            answers[304] = {"description": "You have the current revision.", "headers": self._header_refs(headers)}
        by_status: dict[int, dict[str, type[Problem]]] = {}
        for problem in (*operation.raises, *(one for part in parts for one in part.problems)):
            self._learn(problem)
            by_status.setdefault(problem.status, {})[problem.type] = problem
        for status, problems in by_status.items():
            response = self._refusal(status, [problems[type_] for type_ in sorted(problems)], parts)
            name = "Or".join(_class_name(problems[type_]) for type_ in sorted(problems))
            answers[status] = self._once(f"{name}Keyed" if operation.keyed else name, response)
        return {str(status): answers[status] for status in sorted(answers)}

    def components(self) -> dict[str, dict[str, Any]]:
        """The shared headers and responses, and the schemas of all problems."""
        schemas = {"Problem": PROBLEM, "ProblemViolation": VIOLATION}
        for problem in self._problems.values():
            schemas[_schema_name(problem)] = self._problem(problem)
        return {
            "headers": dict(sorted(self._headers.items())),
            "responses": dict(sorted(self._shared.items())),
            "schemas": dict(sorted(schemas.items())),
        }

    def _success(self, operation: Operation, parts: tuple[Documented, ...]) -> Schema:
        every = _merged(part.every_header for part in parts)
        headers = {**every, **_merged(part.success_headers for part in parts)}
        response: Schema = {"description": _outcome(operation), "headers": self._header_refs(headers)}
        if operation.streams:
            response["content"] = {
                "text/event-stream": {"schema": STREAM, "x-item-schema": self._schemas.of(operation.item, "response")}
            }
        elif operation.result is not NoneType:
            response["content"] = {"application/json": {"schema": self._schemas.of(operation.result, "response")}}
        return response

    def _refusal(self, status: int, problems: list[type[Problem]], parts: tuple[Documented, ...]) -> Schema:
        headers = _merged(part.every_header for part in parts)
        headers = {**headers, **_merged(part.problem_headers.get(status, {}) for part in parts)}
        return {
            "description": "\n".join(f"- {one.title}" for one in problems) if len(problems) > 1 else problems[0].title,
            "headers": self._header_refs(headers),
            "content": {"application/problem+json": {"schema": _one_of(problems)}},
        }

    def _once(self, name: str, response: Schema) -> Schema:
        """A reference to the response under a name that can be read; the response itself where it is another one."""
        if len(name) > LONGEST_NAME or self._shared.setdefault(name, response) != response:
            return response
        return {"$ref": f"#/components/responses/{name}"}

    def _header_refs(self, headers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """References to headers; one that is said in other words than before stands in its place."""
        refs: dict[str, Any] = {}
        for name in sorted(headers):
            same = self._headers.setdefault(name, headers[name]) == headers[name]
            refs[name] = {"$ref": f"#/components/headers/{name}"} if same else headers[name]
        return refs

    def _learn(self, problem: type[Problem]) -> None:
        known = self._problems.setdefault(problem.type, problem)
        if known is not problem:
            places = f"{known.__module__}.{known.__qualname__} and {problem.__module__}.{problem.__qualname__}"
            raise ContractError(f"Two problems have the type {problem.type!r}: {places}; a type is one class.")

    def _problem(self, problem: type[Problem]) -> Schema:
        properties: dict[str, Schema] = {
            "type": {"const": f"/problems/{problem.type}"},
            "title": {"const": problem.title},
            "status": {"const": problem.status},
            "retryable": {"const": problem.retryable},
        }
        members, required = self._schemas.members(problem.members_type)
        schema: Schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}], "type": "object"}
        if problem.__doc__:
            schema["description"] = markdown(problem.__doc__)
        schema["properties"] = {**properties, **members}
        schema["required"] = ["type", *required]
        return schema


def _merged(parts: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    merged: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        merged.update(part)
    return merged


def _one_of(problems: list[type[Problem]]) -> Schema:
    references = [f"#/components/schemas/{_schema_name(problem)}" for problem in problems]
    if len(problems) == 1:
        return {"$ref": references[0]}
    mapping = {f"/problems/{problem.type}": ref for problem, ref in zip(problems, references, strict=True)}
    return {
        "oneOf": [{"$ref": reference} for reference in references],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }


def _class_name(problem: type[Problem]) -> str:
    return "".join(word.capitalize() for word in problem.type.split("-"))


def _schema_name(problem: type[Problem]) -> str:
    return f"{_class_name(problem)}Problem"


def _outcome(operation: Operation) -> str:
    match operation.kind:
        case "create" if not operation.accepted:
            return "It was made, now or under the same key before."
        case "remove":
            return "It is gone."
        case _ if operation.accepted:
            return "It was accepted and goes on by itself."
        case _:
            return HTTPStatus(operation.success_status).phrase
