"""Faults that are planted in a gateway, and what is made of it with one in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from msgspec import Struct

from governance.bindings.served import WireLimits
from governance.call import Policy
from governance.contract import Operation

Pairs = list[tuple[bytes, bytes]]
Spoil = Callable[[Any, int, Pairs, bytes], tuple[int, Pairs, bytes]]
"""From the ASGI scope and an answer to the answer that is sent in its place."""


class Variant(Struct, frozen=True, kw_only=True):
    """What a gateway is made from in place of the whole parts."""

    operation: Operation
    policies: Sequence[Policy]
    limits: WireLimits
    ask: Callable[[Any], Any] = lambda scope: scope
    """Changes the ASGI scope of a request before it is served."""
    spoil: Spoil = lambda _, status, headers, body: (status, headers, body)
    """Changes an answer before it is sent."""
    document: Callable[[dict[str, Any]], dict[str, Any]] = lambda described: described
    """Changes a published document."""


Change = Callable[[Variant], Variant]


class Fault(Struct, frozen=True, kw_only=True):
    """One way to break enforcement, and the operations where it can be planted."""

    group: str
    name: str
    applies: Callable[[Operation], bool] = lambda _: True
    change: Change = lambda variant: variant
    needs_record: bool = False
    """Whether it shows only on a record that is there."""
    patch: Callable[[], AbstractContextManager[Any]] = nullcontext
    """Holds while the gateway is made and while it serves."""


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    """``owner.name`` is ``value`` meanwhile; it must be there before."""
    before = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def patched(owner: Any, name: str, value: Any) -> Callable[[], AbstractContextManager[Any]]:
    """The patch that swaps one attribute."""
    return lambda: swapped(owner, name, value)


def without(name: str) -> Change:
    """The change that leaves out the policy of this name."""

    def change(variant: Variant) -> Variant:
        left = [policy for policy in variant.policies if policy.name != name]
        assert len(left) == len(variant.policies) - 1, f"there is no policy {name}"
        return _replaced(variant, policies=left)

    return change


def instead(name: str, make: Callable[[Policy], Policy]) -> Change:
    """The change that puts another policy in the place of the one of this name."""

    def change(variant: Variant) -> Variant:
        return _replaced(
            variant, policies=[make(policy) if policy.name == name else policy for policy in variant.policies]
        )

    return change


def changed(**parts: Any) -> Change:
    """The change of some parts of the variant."""
    return lambda variant: _replaced(variant, **parts)


def _replaced(variant: Variant, **parts: Any) -> Variant:
    from msgspec.structs import replace

    return replace(variant, **parts)
