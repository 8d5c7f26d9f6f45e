"""Faults of the rate limit and of idempotency: more is admitted, or done, than was agreed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from governance.call import Stage
from governance.contract import Operation
from governance.contract.refusals import InvalidIdempotencyKey, MissingIdempotencyKey
from governance.policies.idempotency import Enforcement as Idempotency
from governance.policies.idempotency import claims, enforcement
from governance.policies.rate_limit import bucket, terms
from governance.policies.rate_limit import enforcement as limiting
from governance.policies.rate_limit.book import Book
from governance.store import Script
from tests.mutants.mutant import Fault, Spoil, patched, swapped, without

Patch = Callable[[], AbstractContextManager[Any]]


def faults() -> Iterator[Fault]:
    """Every fault of these groups."""
    yield from _rate_limit()
    yield from _idempotency()


def _rate_limit() -> Iterator[Fault]:
    group = "rate limit"
    yield Fault(group=group, name="the policy is not in the chain", change=without("rate_limit"))
    for name, burst, interval in (
        ("one call more than announced is admitted", 1, 1),
        ("one call less than announced is admitted", -1, 1),
        ("twice the burst is admitted", 3, 1),
    ):
        yield Fault(group=group, name=name, patch=_bucket(burst, interval))
    yield Fault(group=group, name="a spent burst comes back at once", patch=_interval)
    yield Fault(group=group, name="one call more is announced than admitted", patch=_announcing(1))
    yield Fault(group=group, name="one call less is announced than admitted", patch=_announcing(-1))
    script = limiting.LIMITS
    yield Fault(
        group=group,
        name="nothing is refused",
        patch=_script(limiting, "LIMITS", script, b"    admitted = 0\n", b"    admitted = 1\n"),
    )
    yield Fault(
        group=group,
        name="the burst is compared one too late",
        patch=_script(limiting, "LIMITS", script, b"interval * (burst - cost)", b"interval * (burst - cost + 1)"),
    )
    yield Fault(
        group=group,
        name="admitted calls are not charged",
        patch=_script(limiting, "LIMITS", script, b"tat = tat + interval * cost", b"tat = tat + 0"),
    )
    yield Fault(group=group, name="all clients share one bucket", patch=patched(terms.Terms, "keys", _one_key))
    yield Fault(group=group, name="plans are ignored", patch=patched(Book, "edge", lambda self, client_id: self._edge))
    yield Fault(group=group, name="limits are not announced", patch=patched(terms.Terms, "announce", _silent))


def _bucket(burst: int, interval: int) -> Patch:
    """Other numbers for the store than for the header."""
    make: Any = vars(bucket.Bucket)["of"].__func__

    def of(cls: Any, name: str, limit: Any) -> Any:
        from msgspec.structs import replace

        whole = make(cls, name, limit)
        return replace(whole, arguments=(b"%d" % (limit.interval_us * interval), b"%d" % (limit.burst + burst)))

    return patched(bucket.Bucket, "of", classmethod(of))


def _interval() -> AbstractContextManager[None]:
    make: Any = vars(bucket.Bucket)["of"].__func__

    def of(cls: Any, name: str, limit: Any) -> Any:
        from msgspec.structs import replace

        return replace(make(cls, name, limit), arguments=(b"1", b"%d" % limit.burst))

    return swapped(bucket.Bucket, "of", classmethod(of))


def _announcing(more: int) -> Patch:
    make: Any = vars(bucket.Bucket)["of"].__func__

    def of(cls: Any, name: str, limit: Any) -> Any:
        from msgspec.structs import replace

        item = b'"%b";q=%d;w=%d' % (name.encode(), limit.burst + more, limit.refill_s)
        return replace(make(cls, name, limit), policy_item=item)

    return patched(bucket.Bucket, "of", classmethod(of))


def _script(owner: Any, name: str, script: Script[Any], old: bytes, new: bytes) -> Patch:
    """The script with one piece of its source changed; it must be there."""

    def patch() -> AbstractContextManager[None]:
        assert old in script.source, f"{script.name} has no {old!r}"
        return swapped(owner, name, Script[Any](script.name, script.source.replace(old, new)))

    return patch


def _one_key(self: Any, client_id: str) -> list[bytes]:
    return [b"limit:{all}:%d" % number for number, _ in enumerate(self.limits)]


def _silent(self: Any, headers: Any, verdict: Any) -> None:
    """Announces nothing."""


def _keyed(operation: Operation) -> bool:
    return operation.keyed


def _fault(name: str, patch: Patch) -> Fault:
    return Fault(group="idempotency", name=name, applies=_keyed, patch=patch)


def _idempotency() -> Iterator[Fault]:
    yield Fault(
        group="idempotency", name="the policy is not in the chain", applies=_keyed, change=without("idempotency")
    )
    yield _fault("a missing key is made up", patched(enforcement, "parse_key", _parsing(MissingIdempotencyKey)))
    yield _fault("a malformed key is taken", patched(enforcement, "parse_key", _parsing(InvalidIdempotencyKey)))
    yield _fault("the payload does not count", patched(enforcement, "fingerprint_of", lambda request: b"f" * 32))
    yield _fault(
        "payloads under one key are not compared",
        _script(claims, "CLAIM", claims.CLAIM, b"string.sub(value, 2, 33) ~= ARGV[2]", b"false"),
    )
    yield _fault(
        "a key is taken over by whoever comes next",
        _script(claims, "CLAIM", claims.CLAIM, b"if not value then", b"if true then"),
    )
    yield _fault("outcomes are not stored", patched(enforcement, "outcome_of", lambda result: None))
    yield _fault("replays run again", patched(Idempotency, "enforce", _only_keys))
    yield _fault("all clients share their keys", _shared_keys)
    yield Fault(
        group="idempotency",
        name="a replay is not marked",
        applies=_keyed,
        change=_spoiled(_dropping(b"idempotency-replayed")),
    )
    yield Fault(
        group="idempotency",
        name="every answer is marked as a replay",
        applies=_keyed,
        change=_spoiled(_marking),
    )
    yield _fault("replay comes before authorisation", patched(Idempotency, "stage", Stage.IDENTIFY))


def _parsing(forgiven: type[Exception]) -> Callable[[bytes | None], str]:
    parse = enforcement.parse_key

    def parsed(value: bytes | None) -> str:
        try:
            return parse(value)
        except forgiven:
            return "made-up"

    return parsed


def _only_keys(self: Any, operation: Operation, binding: str) -> Any:
    """Demands a key and runs whatever comes with it."""
    if binding != "served" or not operation.keyed:
        return None

    def wrap(inner: Any) -> Any:
        def keyed(exchange: Any) -> Awaitable[Any]:
            exchange.under.idempotency_key = enforcement.parse_key(exchange.served.headers.get(b"idempotency-key"))
            answer: Awaitable[Any] = inner(exchange)
            return answer

        return keyed

    return wrap


@contextmanager
def _shared_keys() -> Iterator[None]:
    whole = enforcement.edge_key

    def edge_key(client_id: str, account: str, operation_id: str, key: str) -> str:
        return whole("everybody", account, operation_id, key)

    with ExitStack() as both:
        both.enter_context(swapped(enforcement, "edge_key", edge_key))
        yield


def _spoiled(spoil: Spoil) -> Any:
    from tests.mutants.mutant import changed

    return changed(spoil=spoil)


def _dropping(name: bytes) -> Spoil:
    return lambda _, status, headers, body: (status, [pair for pair in headers if pair[0] != name], body)


def _marking(_: Any, status: int, headers: Any, body: bytes) -> Any:
    return status, [*headers, (b"idempotency-replayed", b"true")], body
