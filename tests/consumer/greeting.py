"""A company's own policy: one word in front of every served answer's headers."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any

from msgspec import Meta, Struct

from governance.call import Binding, Exchange, Handler, Policy, Stage, Wrap
from governance.contract import Operation


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.greeting]``."""

    word: Annotated[str, Meta(max_length=20)] = "hello"


class Enforcement(Policy):
    """Greets."""

    name = "greeting"
    stage = Stage.ANNOTATE

    def __init__(self, settings: Settings) -> None:
        self._greeting = (b"greeting", settings.word.encode())

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation."""
        if binding != "served":
            return None

        def wrap(inner: Handler) -> Handler:
            def greet(exchange: Exchange) -> Awaitable[Any]:
                exchange.response_headers.append(self._greeting)
                return inner(exchange)

            return greet

        return wrap
