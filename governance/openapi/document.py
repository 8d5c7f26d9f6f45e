"""One OpenAPI document per API version.

The same contracts and policies give the same bytes: nothing depends on time, order of import,
hashing or configuration of the machine. Standard: OpenAPI 3.1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, cast

import msgspec

from governance.call.policy import Documented, Policy
from governance.contract.checks import path_names
from governance.contract.operation import Api, Operation, Parameter
from governance.openapi import wire
from governance.openapi.responses import Responses
from governance.openapi.schemas import Schema, Schemas, markdown, without_null

SECURITY_SCHEME = "oauth2"
VENDORS_OWN: Schema = {"description": "As the vendor writes it: its connector reads it.", "type": "object"}
TOKEN_PATH = "/oauth/token"  # noqa: S105 - the path of an endpoint, no secret


def document(api: Api, policies: Iterable[Policy]) -> dict[str, Any]:
    """The OpenAPI document of an API version under these policies.

    Raises:
        ContractError: two of its Structs have one name, or two of its problems one type.
    """
    policies = sorted(policies, key=lambda policy: (policy.stage, policy.position, policy.name))
    operations = sorted(api.operations, key=lambda operation: (operation.path, operation.method))
    schemas = Schemas(
        requests=[operation.body.type for operation in operations if operation.body and not operation.inbound],
        responses=[*_results(operations), *_members(operations, policies)],
    )
    responses = Responses(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        parts = (wire.documented(operation), *(policy.document(operation) for policy in policies))
        template = operation.path.removeprefix(api.prefix)
        paths.setdefault(template, {})[operation.method.lower()] = _operation(api, operation, parts, schemas, responses)
    shared = responses.components()
    return {
        "openapi": "3.1.1",
        "info": _info(api),
        "servers": [{"url": api.prefix, "description": "Relative to the gateway that serves this document."}],
        "tags": [{"name": tag} for tag in sorted({_tag(api, operation) for operation in operations})],
        "paths": paths,
        "components": {
            "headers": shared["headers"],
            "responses": shared["responses"],
            "schemas": dict(sorted({**schemas.components(), **shared["schemas"]}.items())),
            "securitySchemes": {SECURITY_SCHEME: _security_scheme(operations)},
        },
    }


def encoded(described: Mapping[str, Any]) -> bytes:
    """The document as the bytes that are committed and served."""
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


def _results(operations: Iterable[Operation]) -> list[Any]:
    results = [operation.item if operation.streams else operation.result for operation in operations]
    return [result for result in results if result is not NoneType]


def _members(operations: Iterable[Operation], policies: Iterable[Policy]) -> list[Any]:
    """The types inside the members of problems; the members themselves are no components."""
    problems = {problem for operation in operations for problem in operation.raises}
    problems |= {one for operation in operations for policy in policies for one in policy.document(operation).problems}
    types = [field.type for problem in problems for field in msgspec.structs.fields(problem.members_type)]
    return sorted(types, key=repr)


def _info(api: Api) -> dict[str, Any]:
    return {
        "title": f"{api.slug} v{api.version}",
        "summary": markdown(api.summary),
        "description": _described(api.summary, api.description),
        "version": f"{api.version}.0",
        "contact": {"name": api.owner},
        "x-tier": api.tier,
        "x-owner": api.owner,
        "x-lifecycle": api.lifecycle.stage,
    }


def _described(summary: str, description: str) -> str:
    return markdown(f"{summary}\n\n{description}".strip())


def _tag(api: Api, operation: Operation) -> str:
    """The first word of the path that is no parameter: the resource."""
    segments = operation.path.removeprefix(api.prefix).strip("/").split("/")
    return next((segment for segment in segments if not segment.startswith("{")), api.slug)


def _operation(
    api: Api, operation: Operation, parts: Sequence[Documented], schemas: Schemas, responses: Responses
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [_tag(api, operation)],
        "summary": markdown(operation.summary),
        "description": _described(operation.summary, operation.description),
        "security": [{SECURITY_SCHEME: [operation.scope]}] if operation.kind != "inbound" else [],
    }
    if parameters := _parameters(operation, parts, schemas):
        described["parameters"] = parameters
    if body := operation.body:
        schema = VENDORS_OWN if operation.inbound else schemas.of(body.type, "request")
        described["requestBody"] = {"required": body.required, "content": {"application/json": {"schema": schema}}}
    described["responses"] = responses.of(operation, parts)
    described.update(_extensions(parts))
    return described


def _parameters(operation: Operation, parts: Sequence[Documented], schemas: Schemas) -> list[Mapping[str, Any]]:
    own = [_parameter(operation, one, schemas) for one in operation.parameters if one.where != "body"]
    headers = {(one["in"], one["name"]): one for part in parts for one in part.parameters}
    return [*own, *(headers[key] for key in sorted(headers))]


def _parameter(operation: Operation, parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    schema = without_null(schemas.of(parameter.type, "request"))
    described: dict[str, Any] = {"name": parameter.name, "in": parameter.where, "required": parameter.required}
    if parameter.name in path_names(operation.path):
        described["required"] = True
    if description := schema.get("description"):
        described["description"] = description
    if not parameter.required and parameter.default is not None:
        schema = {**schema, "default": msgspec.to_builtins(parameter.default)}
    described["schema"] = {name: value for name, value in schema.items() if name != "description"}
    return described


def _extensions(parts: Sequence[Documented]) -> dict[str, Any]:
    """What the binding and the policies add, by name; mappings of one name are joined."""
    joined: dict[str, Any] = {}
    for part in parts:
        for name, value in part.extensions.items():
            before = joined.get(name)
            if isinstance(before, Mapping) and isinstance(value, Mapping):
                value = {**cast("Mapping[str, Any]", before), **cast("Mapping[str, Any]", value)}
            joined[name] = value
    return dict(sorted(joined.items()))


def _security_scheme(operations: Iterable[Operation]) -> Schema:
    scopes: dict[str, list[str]] = {}
    for operation in operations:
        if operation.inbound:  # opened by a signature
            continue
        scopes.setdefault(operation.scope, []).append(operation.name)
    described = {scope: f"Allows {', '.join(sorted(names))}." for scope, names in sorted(scopes.items())}
    return {
        "type": "oauth2",
        "description": "Ask for a token with client credentials (RFC 6749 §4.4) and send it as Bearer (RFC 6750).",
        "flows": {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": described}},
    }
