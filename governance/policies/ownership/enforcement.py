"""Ownership: object-level authorisation on what goes in and what comes out.

Guarantees: an operation that says ``visible=by("account_id")`` gives nobody a record of an account
that its user does not see, and takes none for it: arguments are judged before the implementation
runs, the result before it leaves. The refusal is the same ``not-found`` as for nothing there. The
user behind an inner call counts, not the API that calls. A list that names no account is held to
those that its user sees: its service reads them from ``Call.listed_accounts``. Where neither arguments nor result name
an account, only callers that see all accounts pass, and ``audit`` reports the declaration.

An operation that changes a record which only its result names is judged after the effect: its
service looks the record up first, which ``audit`` points to.

Standard: OWASP API Security Top 10 2023, API1 (broken object level authorization).
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from types import NoneType
from typing import Any, cast

from governance.call import Accounts, Binding, Clock, Documented, Exchange, Finding, Handler, Policy, Probe, Stage, Wrap
from governance.contract.account_ids import Reader, argument_reader, result_reader
from governance.contract.operation import Operation
from governance.contract.problems import NotFound
from governance.contract.streaming import Stream
from governance.policies.ownership.directory import AccountDirectory, Settings, Visibility


class Enforcement(Policy):
    """Holds every operation to the accounts of the user behind the call."""

    name = "ownership"
    stage = Stage.EXECUTE
    position = 90

    def __init__(self, settings: Settings, clock: Clock, directory: AccountDirectory | None = None) -> None:
        self._visibility = Visibility(settings, clock, directory)

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every operation whose records belong to accounts, in every binding."""
        if not operation.visibility.fields:
            return None
        arguments = _arguments(operation)
        result = _result(operation)
        lists = operation.kind in ("search", "stream")

        def wrap(inner: Handler) -> Handler:
            async def judged(exchange: Exchange, accounts: Accounts) -> Any:
                exchange.evidence["ownership"] = "hidden"  # until it is found to be theirs
                for index, read in arguments:
                    await self._visibility.demand(accounts, read(exchange.arguments[index]))
                del exchange.evidence["ownership"]
                if lists and accounts.reach == "subtree":
                    exchange.under.visible_accounts = await self._visibility.everything(accounts)
                return await self._shown(exchange, accounts, result, await inner(exchange))

            def owned(exchange: Exchange) -> Awaitable[Any]:
                accounts = exchange.under.on_behalf_of.accounts
                if accounts.reach == "all":
                    return inner(exchange)
                if not arguments and result is None:
                    raise NotFound()
                return judged(exchange, accounts)

            return owned

        return wrap

    async def _shown(self, exchange: Exchange, accounts: Accounts, read: Reader | None, outcome: Any) -> Any:
        """The result, where it is theirs; of a stream each item as it comes, so that another's ends it."""
        if read is None:
            return outcome
        if isinstance(outcome, Stream):
            stream = cast("Stream[Any]", outcome)

            async def judged(item: Any) -> Any:
                await self._visibility.demand(accounts, read(item))
                return item

            return stream.each(judged)
        exchange.evidence["ownership"] = "hidden"
        await self._visibility.demand(accounts, read(outcome))
        del exchange.evidence["ownership"]
        return outcome

    def document(self, operation: Operation) -> Documented:
        """404 for what is not there or not yours."""
        return Documented(problems=(NotFound,)) if operation.visibility.fields else Documented()

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """The same request by a caller of another account, where it must name or meet a record."""
        named = bool(_arguments(operation))
        if named or (operation.kind == "read" and _result(operation)):
            yield Probe(
                control="OW-001",
                title="A record of another account is not there",
                expect_status=NotFound.status,
                expect_type=NotFound.type if named else "",  # else the service may have refused it first
                token="other-account",  # noqa: S106 - the kind of token to probe with, no secret
            )

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """Declarations that name accounts which are nowhere to be found, or only after the effect."""
        names = ", ".join(operation.visibility.fields)
        if not names or _arguments(operation):
            return
        if _result(operation) is None:
            detail = f"visible=by({names}), but neither arguments nor result hold it: add it, or say public_because."
            yield Finding(id="OW-001", operation_id=operation.id, detail=detail)
        elif not operation.safe:
            detail = f"Only the result names {names}: the service must look the record up before it changes it."
            yield Finding(id="OW-002", operation_id=operation.id, detail=detail, severity="warning")


def _arguments(operation: Operation) -> tuple[tuple[int, Reader], ...]:
    found = (
        (index, argument_reader(one, operation.visibility.fields)) for index, one in enumerate(operation.parameters)
    )
    return tuple((index, read) for index, read in found if read is not None)


def _result(operation: Operation) -> Reader | None:
    if operation.result is NoneType:
        return None
    return result_reader(operation.item if operation.streams else operation.result, operation.visibility.fields)
