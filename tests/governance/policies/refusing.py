"""A policy that refuses every served call before its caller is known."""

from __future__ import annotations

from typing import Any

from governance.call import Exchange, Handler, Policy, Stage, Wrap
from governance.contract import Operation
from governance.contract.refusals import RateLimited, Unauthenticated


class Refusing(Policy):
    name = "refusing"
    stage = Stage.IDENTIFY
    position = 0

    def __init__(self, status: int) -> None:
        self._problem = {401: Unauthenticated, 429: RateLimited}[status]

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        async def refuse(_: Exchange) -> Any:
            raise self._problem

        def wrap(inner: Handler) -> Handler:
            return refuse

        return wrap if binding == "served" else None
