"""One valid request of every operation, made from its contract alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from governance.contract.operation import Operation, Parameter
from governance.prove.samples import sample_value

JSON = "application/json"


class Sample(Struct, frozen=True, kw_only=True):
    """A request that an operation can't refuse for its form."""

    method: str
    path: str
    """Percent-encoded, with every path parameter filled in."""
    query: str = ""
    headers: Mapping[str, str] = {}
    """Everything apart from the token."""
    body: bytes | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


def sample_of(operation: Operation, *, key: str = "sample", given: Mapping[str, Any] | None = None) -> Sample:
    """The valid request, which names an account where it can.

    ``given`` are arguments to use instead of samples, ``key`` is its idempotency key.

    Raises:
        NoSample: a parameter's type has no sample.
    """
    given = given or {}
    path = operation.path
    for name, value in _values(operation, "path", given):
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = urlencode([(name, _text(value)) for name, value in _values(operation, "query", given)])
    bodies = [value for _, value in _values(operation, "body", given)]
    headers = {"Accept": JSON}
    if bodies:
        headers["Content-Type"] = JSON
    if operation.keyed:
        headers["Idempotency-Key"] = f'"{key}"'
    if operation.conditional:
        headers["If-Match"] = "*"
    body = json.dumps(bodies[0]).encode() if bodies else None
    return Sample(method=operation.method, path=path, query=query, headers=headers, body=body)


def _values(operation: Operation, where: str, given: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for parameter in operation.parameters:
        owner = parameter.name in operation.visibility.fields
        if parameter.where == where and (parameter.required or owner or parameter.name in given):
            yield parameter.name, given[parameter.name] if parameter.name in given else _sampled(parameter)


def _sampled(parameter: Parameter) -> Any:
    return sample_value(parameter.type)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
