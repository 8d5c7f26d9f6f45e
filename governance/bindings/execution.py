"""Execute: the innermost stage, the same in every binding.

What leaves an implementation is its result or a problem that its contract allows. Everything else,
a refusal that the contract does not list included, becomes ``internal-error``: the cause goes to
the log ``tiergate.unexpected`` under the request id, never to the caller. The tests fail on it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from governance.call.call import AccountRequired, enter, leave
from governance.call.clock import Clock
from governance.call.exchange import Exchange, Handler
from governance.contract.contract import api_of
from governance.contract.errors import ContractError
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.contract.refusals import (
    DeadlineExceeded,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InternalError,
    InvalidBody,
    InvalidParameters,
    Overloaded,
    PreconditionFailed,
    RateLimited,
    SystemUnavailable,
)

PASSES = (
    AccountRequired,
    DeadlineExceeded,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InternalError,
    InvalidBody,
    InvalidParameters,
    Overloaded,
    PreconditionFailed,
    RateLimited,
    SystemUnavailable,
)
"""What any implementation may raise besides the refusals of its contract."""

unexpected = logging.getLogger("tiergate.unexpected")


def innermost(operation: Operation, service: object, clock: Clock) -> Handler:
    """The handler that runs the implementation under its ``Call``.

    Raises:
        ContractError: the service's signature is not the contract's.
    """
    invoke = _invoker(operation, service)
    allowed = frozenset(problem.type for problem in (*operation.raises, *PASSES))

    async def execute(exchange: Exchange) -> Any:
        call = exchange.under
        if call.deadline is not None and clock.monotonic() > call.deadline:
            raise DeadlineExceeded(detail="The deadline passed before the work began; nothing was done.")
        token = enter(call)
        try:
            return await invoke(exchange.arguments)
        except Exception as error:
            if isinstance(error, Problem) and error.type in allowed:
                raise
            raise concealed(operation, call.request_id, error) from error
        finally:
            leave(token)

    return execute


def concealed(operation: Operation, request_id: str, error: Exception) -> InternalError:
    """``internal-error`` in place of what a caller must not see; the cause goes to the log."""
    kind = "is not in raises" if isinstance(error, Problem) else "was not expected"
    unexpected.error("%s: %s %s [request %s]", operation.id, type(error).__name__, kind, request_id, exc_info=error)
    return InternalError()


def _invoker(operation: Operation, service: object) -> Callable[[tuple[Any, ...]], Awaitable[Any]]:
    method = getattr(service, operation.name)
    declared = [parameter.name for parameter in operation.parameters]
    if not inspect.iscoroutinefunction(method):
        raise ContractError(f"{type(service).__qualname__}.{operation.name} must be `async def`, as its contract is.")
    signature = inspect.signature(method)
    given = list(signature.parameters)
    if given != declared:
        contract = api_of(type(service)).contract.__qualname__
        raise ContractError(
            f"{type(service).__qualname__}.{operation.name} takes ({', '.join(given)}), "
            f"{contract} declares ({', '.join(declared)}): repeat the contract's signature."
        )
    by_name = [name for name, parameter in signature.parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]
    if not by_name:
        return lambda arguments: method(*arguments)
    positional = len(declared) - len(by_name)
    return lambda arguments: method(*arguments[:positional], **dict(zip(by_name, arguments[positional:], strict=True)))
