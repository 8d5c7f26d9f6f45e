"""The local binding: caller and callee in one process, under the same policies, without HTTP or JSON.

The caller holds an object with the contract's methods, limited to the operations it needs. Frozen
Structs pass by reference. In ``verify`` mode every argument, result and refusal is encoded and
decoded as if it had crossed the wire, so that nothing works locally that would fail remotely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from governance.bindings.chain import Link, fold, links
from governance.bindings.execution import concealed, innermost
from governance.bindings.stub import Stub, arguments_binder, stub_class
from governance.call.call import current_call
from governance.call.clock import Clock
from governance.call.exchange import Exchange, Handler
from governance.call.policy import Policy
from governance.contract.checks import bare
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
    caller_id: str, callee: Api, needs: Iterable[Operation], handlers: Mapping[Operation, Handler], clock: Clock, mode: Mode
) -> Stub:
    """The object through which ``caller_id`` calls the ``needs`` of ``callee``."""
    call = _verified if mode == "verify" else _direct
    methods = {operation.name: call(caller_id, operation, handlers[operation], clock) for operation in needs}
    return stub_class(callee, methods, caller_id)()


def _direct(caller_id: str, operation: Operation, handler: Handler, clock: Clock) -> Callable[..., Any]:
    bind = arguments_binder(operation)
    check = _argument_check(operation)
    monotonic = clock.monotonic

    async def method(_: object, *args: Any, **kwargs: Any) -> Any:
        child = current_call().child(operation.id, caller_id, operation.scope, keyed=operation.keyed)
        exchange = Exchange(operation, "local", None, monotonic())
        exchange.call = child
        exchange.principal = child.principal
        arguments = bind(args, kwargs)
        try:
            exchange.arguments = check(arguments)
        except (msgspec.ValidationError, ValueError) as error:
            raise concealed(operation, child.request_id, error) from error
        return await handler(exchange)

    return method


def _verified(caller_id: str, operation: Operation, handler: Handler, clock: Clock) -> Callable[..., Any]:
    bind = arguments_binder(operation)
    direct = _direct(caller_id, operation, handler, clock)
    types = [parameter.type for parameter in operation.parameters]
    names = [parameter.name for parameter in operation.parameters]
    kinds = {problem: problem.members_type for problem in operation.raises}

    async def method(stub: object, *args: Any, **kwargs: Any) -> Any:
        arguments = bind(args, kwargs)
        crossed = [_across(value, annotation) for value, annotation in zip(arguments, types, strict=True)]
        try:
            result = await direct(stub, **dict(zip(names, crossed, strict=True)))
        except Problem as problem:
            if type(problem) in kinds:
                members = msgspec.json.decode(msgspec.json.encode(problem.members()))
                raise type(problem).from_members(problem.detail, members) from problem
            raise
        return _across(result, operation.result)

    return method


def _across(value: Any, annotation: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=annotation)


def _argument_check(operation: Operation) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Constraints of plain values hold locally too; bodies of writes are judged as a whole."""
    checked = tuple(
        (index, parameter.type, parameter.where == "body")
        for index, parameter in enumerate(operation.parameters)
        if bare(parameter.type) is not parameter.type or parameter.where != "query"
    )
    if not checked:
        return lambda arguments: arguments

    def check(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        for index, annotation, is_body in checked:
            value = arguments[index]
            msgspec.convert(msgspec.to_builtins(value) if is_body else value, annotation)
        return arguments

    return check
