"""The remote binding: the same object, over HTTP to another process of the same gateway.

A call carries a hop token for that one operation, the child's idempotency key, the request id, the
trace, what is left of the deadline and how long the callee may wait. Problems come back as the
same typed exceptions; a problem type that this process does not know becomes ``unavailable`` when
it is retryable, ``internal-error`` otherwise. Unknown members of results are ignored.

When the other process is away the call ends in ``unavailable`` (503): nothing is known to have
happened, and a repeat under the same key is safe. When it does not answer in time the call ends in
``deadline-exceeded``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from secrets import token_hex
from types import NoneType
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from msgspec import Struct

from governance.bindings.arguments import arguments_binder, arguments_judge
from governance.bindings.execution import PASSES, concealed, unexpected
from governance.bindings.relay import relayed
from governance.bindings.rendering import header
from governance.bindings.stub import Stub, stub_class
from governance.call.call import Call, Principal, current_call
from governance.call.clock import Clock
from governance.call.exchange import Answer
from governance.contract import refusals
from governance.contract.operation import Api, Operation
from governance.contract.problems import Problem
from governance.contract.refusals import DeadlineExceeded, InternalError, SystemUnavailable
from governance.egress.hop import HopClient

DEADLINE_HEADER = "Tiergate-Deadline-Ms"
GATEWAY_PROBLEMS: Mapping[str, type[Problem]] = {
    problem.type: problem
    for problem in (*vars(refusals).values(), *PASSES)
    if isinstance(problem, type) and issubclass(problem, Problem) and problem is not Problem
}
"""What another process may answer of its own, by type id."""


class HopCredentials(Protocol):
    """Signs hop tokens; see ``governance.identity.HopTokens``."""

    def token_for(self, user: Principal, acting_api: str, operation: Operation) -> str:
        """A token for one operation on behalf of ``user``."""
        ...


class ProblemDocument(Struct, frozen=True):
    """The members of RFC 9457 that a caller needs to find the class."""

    type: str = "about:blank"
    status: int = 500
    detail: str = ""
    retryable: bool = False


def remote_stub(
    caller_id: str,
    callee: Api,
    needs: Iterable[Operation],
    base_url: str,
    client: HopClient,
    credentials: HopCredentials,
    clock: Clock,
) -> Stub:
    """The object through which ``caller_id`` calls the ``needs`` of ``callee`` at ``base_url``."""
    methods = {
        operation.name: _method(caller_id, operation, base_url.rstrip("/"), client, credentials, clock)
        for operation in needs
    }
    return stub_class(callee, methods, caller_id)()


def _method(
    caller_id: str,
    operation: Operation,
    base_url: str,
    client: HopClient,
    credentials: HopCredentials,
    clock: Clock,
) -> Callable[..., Any]:
    bind = arguments_binder(operation)
    judge = arguments_judge(operation)
    target = _target(operation, base_url)
    result_of = _result_reader(operation)
    problem_of = _problem_reader(operation)
    body_at = next((index for index, parameter in enumerate(operation.parameters) if parameter.where == "body"), None)

    async def ask(child: Call, arguments: tuple[Any, ...], last: str | None, held_s: float) -> Answer:
        headers = _headers(child, credentials.token_for(child.on_behalf_of, caller_id, operation), None, held_s)
        headers["Prefer"] = f"wait={held_s:g}"
        if last is not None:
            headers["Last-Event-ID"] = last
        answer = await client.send(operation.method, target(arguments), headers, None, client.timeout_s + held_s)
        if answer.status != 200:
            raise _with_retry_after(problem_of(answer), answer)
        return answer

    async def method(_: object, *args: Any, **kwargs: Any) -> Any:
        arguments = bind(args, kwargs)
        child = current_call().child(operation.id, caller_id, operation.scope, keyed=operation.keyed)
        try:
            judge(arguments)
        except ValueError as error:
            raise concealed(operation, child.request_id, error) from error
        left_s = client.timeout_s if child.deadline is None else child.deadline - clock.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded(detail="The deadline passed before the call was made.")
        if operation.streams:
            return await relayed(operation, partial(ask, child, arguments))
        timeout_s = min(left_s, client.timeout_s) + child.wait_s
        body = msgspec.json.encode(arguments[body_at]) if body_at is not None else None
        headers = _headers(child, credentials.token_for(child.on_behalf_of, caller_id, operation), body, left_s)
        answer = await client.send(operation.method, target(arguments), headers, body, timeout_s)
        if 200 <= answer.status < 300:
            return result_of(answer.body)
        raise _with_retry_after(problem_of(answer), answer)

    return method


def _headers(child: Call, token: str, body: bytes | None, left_s: float) -> dict[str, str]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Request-Id": child.request_id,
        DEADLINE_HEADER: str(int(left_s * 1000)),
    }
    if body is not None:
        headers["Content-Type"] = "application/json"
    if child.idempotency_key:
        headers["Idempotency-Key"] = f'"{child.idempotency_key}"'
    headers["traceparent"] = child.traceparent or f"00-{token_hex(16)}-{token_hex(8)}-00"  # decided: not sampled
    if child.wait_s:
        headers["Prefer"] = f"wait={child.wait_s:g}"
    if child.if_match is not None:
        headers["If-Match"] = child.if_match if child.if_match == "*" else f'"{child.if_match}"'
    return headers


def _target(operation: Operation, base_url: str) -> Callable[[tuple[Any, ...]], str]:
    in_path = [(index, item.name) for index, item in enumerate(operation.parameters) if item.where == "path"]
    in_query = [
        (index, item.name, item.default) for index, item in enumerate(operation.parameters) if item.where == "query"
    ]

    def target(arguments: tuple[Any, ...]) -> str:
        path = operation.path
        for index, name in in_path:
            path = path.replace("{" + name + "}", quote(_text(arguments[index]), safe=""))
        pairs = [
            f"{name}={quote(_text(arguments[index]), safe='')}"
            for index, name, default in in_query
            if arguments[index] is not None and arguments[index] != default
        ]
        return f"{base_url}{path}?{'&'.join(pairs)}" if pairs else base_url + path

    return target


def _text(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    return ("true" if plain else "false") if isinstance(plain, bool) else str(plain)


def _result_reader(operation: Operation) -> Callable[[bytes], Any]:
    if operation.result is NoneType:
        return lambda body: None
    decoder = msgspec.json.Decoder(operation.result)

    def read(body: bytes) -> Any:
        try:
            return decoder.decode(body)
        except (ValueError, RecursionError) as error:
            unexpected.error("%s answered what its contract does not say", operation.id, exc_info=error)
            raise InternalError() from error

    return read


def _problem_reader(operation: Operation) -> Callable[[Answer], Problem]:
    known = {**GATEWAY_PROBLEMS, **{problem.type: problem for problem in operation.raises}}

    def read(answer: Answer) -> Problem:
        try:
            document = msgspec.json.decode(answer.body, type=ProblemDocument)
            members = msgspec.json.decode(answer.body)
        except (ValueError, RecursionError):
            return _general(operation, f"status {answer.status} without a problem", answer.status >= 500)
        problem = known.get(document.type.removeprefix("/problems/"))
        if problem is None:
            return _general(operation, f"the unknown problem {document.type}", document.retryable)
        try:
            return _rebuilt(problem, document.detail, members)
        except (msgspec.ValidationError, TypeError):
            return _general(operation, f"{document.type} without its members", document.retryable)

    return read


def _with_retry_after(problem: Problem, answer: Answer) -> Problem:
    after = header(answer.headers, b"retry-after")
    if isinstance(problem, SystemUnavailable) and after is not None and after.isdigit() and len(after) < 8:
        problem.retry_after_s = float(after)
    return problem


def _rebuilt(problem: type[Problem], detail: str, members: dict[str, Any]) -> Problem:
    if issubclass(problem, refusals.InvalidParameters | refusals.InvalidBody):
        errors = msgspec.convert(members.get("errors", ()), tuple[refusals.Violation, ...])
        return problem(violations=errors, detail=detail)
    return problem.from_members(detail, members)


def _general(operation: Operation, answered: str, retryable: bool) -> Problem:
    if retryable:
        return SystemUnavailable(detail="Another tier can't answer now.")
    unexpected.error("%s answered %s", operation.id, answered)
    return InternalError()
