"""Valid requests of every operation, made from its contract alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from governance.contract.operation import Operation, Parameter
from governance.prove.samples import NoSample, other_value, sample_value

JSON = "application/json"
EVENT_STREAM = "text/event-stream"


class Raw(str):
    """An argument that stands in the path as it is, escapes included."""

    __slots__ = ()


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


def sample_of(
    operation: Operation, *, key: str = "sample", given: Mapping[str, Any] | None = None, account: str = ""
) -> Sample:
    """The valid request, which names an account where it can.

    ``given`` are arguments to use instead of samples, None for one to leave out; ``key`` is its idempotency key,
    ``account`` the account that it names in place of the samples'.

    Raises:
        NoSample: a parameter's type has no sample.
    """
    given = {**_owned(operation, account), **(given or {})} if account else given or {}
    path = operation.path
    for name, value in _values(operation, "path", given):
        text = value if isinstance(value, Raw) else quote(str(value), safe="")
        path = path.replace(f"{{{name}}}", text)
    query = urlencode([(name, _text(value)) for name, value in _values(operation, "query", given)])
    bodies = [value for _, value in _values(operation, "body", given)]
    headers = {"Accept": EVENT_STREAM, "Prefer": "wait=0.1"} if operation.streams else {"Accept": JSON}
    if bodies:
        headers["Content-Type"] = JSON
    if operation.keyed:
        headers["Idempotency-Key"] = f'"{key}"'
    if operation.conditional:
        headers["If-Match"] = "*"
    body = json.dumps(bodies[0]).encode() if bodies else None
    return Sample(method=operation.method, path=path, query=query, headers=headers, body=body)


def sample_text(parameter: Parameter) -> str:
    """A valid value of a path or query parameter, as it is spelled there.

    Raises:
        NoSample: its type has none.
    """
    return _text(sample_value(parameter.type))


def other_arguments(operation: Operation, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """``given`` with one argument changed, so that another request, as valid as the sample, comes of it.

    The body's where that can be, so that only the payload differs; accounts stay as they are.

    Raises:
        NoSample: there is but one valid request.
    """
    known = dict(given or {})
    for parameter in sorted(operation.parameters, key=lambda one: one.where != "body"):
        if parameter.name in operation.visibility.fields:
            continue
        value = known.get(parameter.name, sample_value(parameter.type))
        try:
            return {**known, parameter.name: other_value(parameter.type, value, operation.visibility.fields)}
        except NoSample:
            continue
    raise NoSample(f"{operation.id}: there is but one valid request.")


def _owned(operation: Operation, account: str) -> dict[str, Any]:
    """The arguments that name an account, with this one in place of the samples'."""
    owned: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.name in operation.visibility.fields:
            owned[parameter.name] = account
        elif parameter.where == "body" and not operation.inbound:
            body = sample_value(parameter.type)
            owned[parameter.name] = {
                name: account if name in operation.visibility.fields else value for name, value in body.items()
            }
    return owned


def _values(operation: Operation, where: str, given: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for parameter in operation.parameters:
        owner = parameter.name in operation.visibility.fields
        if parameter.where != where or not (parameter.required or owner or parameter.name in given):
            continue
        if operation.inbound:  # as its vendor writes it, of which nothing is known here
            yield parameter.name, {}
            continue
        value = given[parameter.name] if parameter.name in given else sample_value(parameter.type)
        if value is not None:
            yield parameter.name, value


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(msgspec.to_builtins(value))
