"""Faults of scopes, ownership and probes: what somebody else may do is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from governance.call import Exchange, Stage
from governance.contract import Operation
from governance.contract.refusals import InsufficientScope
from governance.policies import probes
from governance.policies.ownership import Enforcement as Ownership
from governance.policies.ownership import Visibility, enforcement
from governance.policies.scopes import Enforcement as Scopes
from tests.mutants.mutant import Change, Fault, Variant, instead, patched, without

Opens = Callable[[Collection[str], str], bool]
"""Whether the scopes that are held open the one that is needed."""


def faults() -> Iterator[Fault]:
    """Every fault of these groups."""
    yield from _scopes()
    yield from _ownership()
    yield from _probes()


def _scopes() -> Iterator[Fault]:
    yield Fault(group="scopes", name="the policy is not in the chain", change=without("scopes"))
    for name, opens in LOOSE.items():
        yield Fault(group="scopes", name=name, patch=patched(Scopes, "enforce", _judging(opens)))
    yield Fault(group="scopes", name="another scope of the API is demanded", change=_demanding("{api}.others:read"))
    yield Fault(group="scopes", name="the other verb is demanded", change=_other_verb)
    yield Fault(
        group="scopes",
        name="refusals carry no challenge",
        patch=patched(Scopes, "enforce", _judging(_exact, silent=True)),
    )


def _exact(held: Collection[str], needed: str) -> bool:
    return needed in held


def _resource(scope: str) -> str:
    return scope.partition(":")[0]


def _api(scope: str) -> str:
    return scope.partition(".")[0]


LOOSE: dict[str, Opens] = {
    "no scope at all opens it": lambda held, needed: needed in held or not held,
    "any scope opens it": lambda held, needed: bool(held),
    "the other verb opens it": lambda held, needed: any(_resource(one) == _resource(needed) for one in held if ":" in one),
    "a wildcard opens it": lambda held, needed: needed in held or f"{_resource(needed)}:*" in held,
    "a star opens it": lambda held, needed: needed in held or "*" in held,
    "a wildcard of the API opens it": lambda held, needed: needed in held or any(
        one.startswith(f"{_api(needed)}.*") for one in held
    ),
    "the resource without a verb opens it": lambda held, needed: needed in held or _resource(needed) in held,
    "the API without a resource opens it": lambda held, needed: needed in held
    or f"{_api(needed)}:{needed.partition(':')[2]}" in held,
    "case does not matter": lambda held, needed: needed.lower() in {one.lower() for one in held},
    "nothing opens it": lambda held, needed: False,
}  # fmt: skip


def _judging(opens: Opens, *, silent: bool = False) -> Callable[..., Any]:
    def enforce(self: Any, operation: Operation, binding: str) -> Any:
        challenge = self._challenges.insufficient_scope(operation.tier, operation.scope)

        def wrap(inner: Any) -> Any:
            def authorize(exchange: Exchange) -> Any:
                if opens(exchange.under.principal.scopes - {probes.SCOPE}, operation.scope):
                    return inner(exchange)
                if not silent:
                    exchange.response_headers.append((b"www-authenticate", challenge))
                raise InsufficientScope(scope=operation.scope)

            return authorize

        return wrap

    return enforce


def _demanding(scope: str) -> Change:
    from msgspec.structs import replace

    def change(variant: Variant) -> Variant:
        other = scope.format(api=_api(variant.operation.scope))
        return replace(variant, operation=replace(variant.operation, scope=other))

    return change


def _other_verb(variant: Variant) -> Variant:
    resource, _, verb = variant.operation.scope.partition(":")
    return _demanding(f"{resource}:{'write' if verb == 'read' else 'read'}")(variant)


def _named(operation: Operation) -> bool:
    return bool(enforcement._arguments(operation)) and (_kept_here(operation) or not operation.safe)


def _kept_here(operation: Operation) -> bool:
    """Whether no call behind it is held to the same accounts, which refuses a stranger although this one does not."""
    return operation.tier == "system" or operation.api_id == "order_to_fulfillment.v1"


def _by_result(operation: Operation) -> bool:
    return (
        operation.kind == "read"
        and bool(enforcement._result(operation))
        and not _named(operation)
        and _kept_here(operation)
    )


def _ownership() -> Iterator[Fault]:
    for applies, needs_record in ((_named, False), (_by_result, True)):

        def fault(name: str, **how: Any) -> Fault:
            return Fault(group="ownership", name=name, applies=applies, needs_record=needs_record, **how)  # noqa: B023

        yield fault("the policy is not in the chain", change=without("ownership"))
        yield fault("every account is visible", patch=patched(Visibility, "demand", _all_visible))
        yield fault("nothing is judged", patch=patched(Ownership, "enforce", lambda self, operation, binding: None))
        yield fault("a stranger is told that something is there", patch=patched(Visibility, "demand", _telling))
    yield Fault(
        group="ownership",
        name="arguments are not judged",
        applies=lambda operation: _named(operation) and not operation.safe,
        patch=patched(enforcement, "_arguments", lambda operation: ()),
    )
    yield Fault(
        group="ownership",
        name="results are not judged",
        applies=_by_result,
        needs_record=True,
        patch=patched(enforcement, "_result", lambda operation: None),
    )


async def _all_visible(self: Any, accounts: Any, ids: Any) -> None:
    """Shows everything."""


async def _telling(self: Any, accounts: Any, ids: Any) -> None:
    if accounts.reach != "all" and set(ids) - set(accounts.ids):
        raise InsufficientScope(scope="of another account")


def _probes() -> Iterator[Fault]:
    group = "probes"

    def write(operation: Operation) -> bool:
        return not operation.safe

    yield Fault(group=group, name="the policy is not in the chain", applies=write, change=without("probes"))
    yield Fault(group=group, name="everybody may probe", applies=write, change=instead("probes", _unscoped))
    yield Fault(
        group=group,
        name="a probe's answer is stored under its key",
        applies=lambda operation: operation.keyed,
        change=instead("probes", _storing),
    )
    yield Fault(
        group=group,
        name="a probe ends before replay",
        applies=lambda operation: operation.keyed,
        patch=patched(probes.Enforcement, "stage", Stage.LIMIT),
    )


def _unscoped(policy: Any) -> Any:
    if policy.name != "probes":
        return policy

    class Open(probes.Enforcement):
        def enforce(self, operation: Operation, binding: Any) -> Any:
            def wrap(inner: Any) -> Any:
                def judged(exchange: Exchange) -> Any:
                    wish = exchange.served.headers.get(probes.PROBE)
                    if wish is None:
                        return inner(exchange)
                    raise probes._end(wish)

                return judged

            return wrap if binding == "served" and not operation.safe else None

    found: Any = Open.__new__(Open)
    found.__dict__.update(vars(policy))
    return found


def _storing(policy: Any) -> Any:
    class Answering(probes.Enforcement):
        position = -10

        def enforce(self, operation: Operation, binding: Any) -> Any:
            def wrap(inner: Any) -> Any:
                async def judged(exchange: Exchange) -> Any:
                    wish = exchange.served.headers.get(probes.PROBE)
                    return probes.REACHED if wish == b"reach" else await inner(exchange)

                return judged

            return wrap if binding == "served" and not operation.safe else None

    found: Any = Answering.__new__(Answering)
    found.__dict__.update(vars(policy))
    return found
