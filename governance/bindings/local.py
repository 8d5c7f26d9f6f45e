"""The local binding: caller and callee in one process, under the same policies, without HTTP or JSON.

The caller holds an object with the contract's methods, limited to the operations it needs. Frozen
Structs pass by reference. In ``verify`` mode every argument, result and refusal is encoded and
decoded as if it had crossed the wire, so that nothing works locally that would fail remotely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from governance.bindings.arguments import arguments_binder, arguments_judge
from governance.bindings.chain import Link, fold, links
from governance.bindings.execution import concealed, innermost
from governance.bindings.stub import Stub, stub_class
from governance.call.call import current_call
from governance.call.clock import Clock
from governance.call.exchange import Exchange, Handler
from governance.call.policy import Policy
from governance.contract.operation import Api, Operation
from governance.contract.problems import Problem

Mode = Literal["direct", "verify"]


def local(
    operation: Operation, service: object, policies: Iterable[Policy], clock: Clock
) -> tuple[Handler, tuple[Link, ...]]:
    """The handler from arguments to result of one operation, and the chain that it is made of."""
    chain = links(operation, "local", policies)
    return fold(chain, innermost(operation, service, clock)), chain


def local_stub(
    caller_id: str,
    callee: Api,
    needs: Iterable[Operation],
    handlers: Mapping[Operation, Handler],
    clock: Clock,
    mode: Mode,
) -> Stub:
    """The object through which ``caller_id`` calls the ``needs`` of ``callee``."""
    call = _verified if mode == "verify" else _direct
    methods = {operation.name: call(caller_id, operation, handlers[operation], clock) for operation in needs}
    return stub_class(callee, methods, caller_id)()


def _direct(caller_id: str, operation: Operation, handler: Handler, clock: Clock) -> Callable[..., Any]:
    bind = arguments_binder(operation)
    judge = arguments_judge(operation)
    monotonic = clock.monotonic

    async def method(_: object, *args: Any, **kwargs: Any) -> Any:
        arguments = bind(args, kwargs)
        child = current_call().child(operation.id, caller_id, operation.scope, keyed=operation.keyed)
        exchange = Exchange(operation, "local", None, monotonic())
        exchange.call = child
        exchange.principal = child.principal
        exchange.arguments = arguments
        try:
            judge(arguments)
        except ValueError as error:
            raise concealed(operation, child.request_id, error) from error
        return await handler(exchange)

    return method


def _verified(caller_id: str, operation: Operation, handler: Handler, clock: Clock) -> Callable[..., Any]:
    bind = arguments_binder(operation)
    direct = _direct(caller_id, operation, handler, clock)
    types = [parameter.type for parameter in operation.parameters]
    names = [parameter.name for parameter in operation.parameters]
    declared = {problem.type: problem for problem in operation.raises}

    async def crossing(item: Any) -> Any:
        return _across(item, operation.item)

    async def method(stub: object, *args: Any, **kwargs: Any) -> Any:
        arguments = bind(args, kwargs)
        try:
            crossed = [_across(value, annotation) for value, annotation in zip(arguments, types, strict=True)]
        except ValueError as error:
            raise concealed(operation, current_call().request_id, error) from error
        try:
            result = await direct(stub, **dict(zip(names, crossed, strict=True)))
        except Problem as problem:
            if problem.type in declared:
                members = msgspec.json.decode(msgspec.json.encode(problem.members()))
                raise declared[problem.type].from_members(problem.detail, members) from problem
            raise
        if operation.streams:
            return result.each(crossing)
        try:
            return _across(result, operation.result)
        except ValueError as error:
            raise concealed(operation, current_call().request_id, error) from error

    return method


def _across(value: Any, annotation: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=annotation)
