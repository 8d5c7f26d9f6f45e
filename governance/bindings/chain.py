"""The chain: an operation's stages and policies, folded once at start-up into one handler."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from governance.call.exchange import Binding, Handler, Wrap
from governance.call.policy import Policy
from governance.call.stages import Stage
from governance.contract.operation import Operation


class Link(Struct, frozen=True, kw_only=True):
    """One wrapper at its place in the chain."""

    stage: Stage
    position: int
    name: str
    wrap: Wrap


def links(
    operation: Operation, binding: Binding, policies: Iterable[Policy], own: Iterable[Link] = ()
) -> tuple[Link, ...]:
    """What stands between caller and implementation, outermost first.

    ``own`` are the stages that the binding itself brings, such as decode.
    """
    found = list(own)
    for policy in policies:
        wrap = policy.enforce(operation, binding)
        if wrap is not None:
            found.append(Link(stage=policy.stage, position=policy.position, name=policy.name, wrap=wrap))
    return tuple(sorted(found, key=lambda link: (link.stage, link.position, link.name)))


def fold(chain: tuple[Link, ...], innermost: Handler) -> Handler:
    """One handler out of the chain around ``innermost``."""
    handler = innermost
    for link in reversed(chain):
        handler = link.wrap(handler)
    return handler
