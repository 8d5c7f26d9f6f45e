"""The policy around a handler: one effect a key, and what a repeat is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from governance.call import Accounts, Answer, Exchange, Stage, edge_key
from governance.contract.problems import NotFound, Problem, Refusal
from governance.contract.refusals import (
    DeadlineExceeded,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InternalError,
    InvalidBody,
    InvalidIdempotencyKey,
    MissingIdempotencyKey,
    SystemUnavailable,
)
from governance.policies.idempotency import Enforcement, Settings
from governance.policies.idempotency.outcome import outcome_of, replay
from governance.store import Store
from tests.lived import lived

pytestmark = pytest.mark.anyio

BOUND_S = 0.25
BODY = b'{"name": "n", "tags": [1, 2]}'
HeadersOf = Callable[[Exchange], dict[str, str]]


class Work:
    """What execute would do: counts its effects and ends as it was told to."""

    def __init__(self, ending: Any = None) -> None:
        self.effects = 0
        self.ending = ending
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.began = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> Answer:
        self.effects += 1
        self.began.set()
        await self.may_end.wait()
        if isinstance(self.ending, BaseException):
            raise self.ending
        return self.ending or Answer(201, ((b"location", b"/things/1"),), b'{"n":%d}' % self.effects)


def edge(store: Store, samples: Any, work: Work, **settings: Any) -> Any:
    wrap = Enforcement(Settings(**settings), store).enforce(samples.operation("post_thing"), "served")
    assert wrap is not None
    return wrap(work)


async def test_a_repeat_gets_the_first_answer_marked(store: Store, samples: Any, headers_of: HeadersOf) -> None:
    work = Work()
    handler = edge(store, samples, work)
    first, repeat = (samples.served("post_thing", key='"k"', body=BODY) for _ in range(2))
    answer = await handler(first)
    assert await handler(repeat) == answer == Answer(201, ((b"location", b"/things/1"),), b'{"n":1}')
    assert work.effects == 1
    assert headers_of(first) == {}
    assert headers_of(repeat) == {"idempotency-replayed": "true"}
    assert (first.evidence["idempotency"], repeat.evidence["idempotency"]) == ("recorded", "replayed")


async def test_of_a_hundred_at_once_over_two_edges_one_executes(
    store: Store, samples: Any, valkey_socket: str, headers_of: HeadersOf
) -> None:
    second = Store(valkey_socket)
    await second.start()
    work = Work()
    work.may_end.clear()
    handlers = [edge(store, samples, work), edge(second, samples, work)]
    exchanges = [samples.served("post_thing", key="k", body=BODY) for _ in range(100)]
    tasks = [asyncio.create_task(handlers[n % 2](exchange)) for n, exchange in enumerate(exchanges)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await work.began.wait()
    work.may_end.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert work.effects == 1
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, IdempotencyInFlight)]
    assert len(answers) >= 1
    assert len(answers) + len(refused) == 100
    assert {answer.body for answer in answers} == {b'{"n":1}'}
    assert headers_of(exchanges[refused[0]]) == {"retry-after": "30"}
    await second.close()


async def test_another_payload_under_the_key_is_refused(store: Store, samples: Any) -> None:
    work = Work()
    handler = edge(store, samples, work)
    await handler(samples.served("post_thing", key="k", body=BODY))
    for other in ({"body": b'{"name": "other"}'}, {"body": BODY, "query": b"dry_run=true"}):
        with pytest.raises(IdempotencyKeyReused):
            await handler(samples.served("post_thing", key="k", **other))
    same = samples.served("post_thing", key='"k"', body=b'{"tags":[1,2],\n "name":"n"}')
    assert (await handler(same)).body == b'{"n":1}'
    assert work.effects == 1


async def test_keys_belong_to_client_and_account(store: Store, samples: Any) -> None:
    work = Work()
    handler = edge(store, samples, work)
    whoever: list[dict[str, Any]] = [
        {},
        {"client": "other"},
        {"accounts": Accounts(ids=("OTHER",))},
        {"accounts": Accounts(ids=("ACME",), reach="subtree")},
        {"accounts": Accounts()},
    ]
    exchanges = [samples.served("post_thing", key="k", body=BODY, **who) for who in whoever]
    for exchange in exchanges:
        await handler(exchange)
    assert work.effects == len(whoever)
    keys = [exchange.call.idempotency_key for exchange in exchanges]
    assert keys[0] == keys[3] == edge_key("portal-demo", "ACME", "samples.v1.post_thing", "k")
    assert len(set(keys)) == 4


async def test_a_caller_whose_id_is_no_text_has_keys_too(store: Store, samples: Any, headers_of: HeadersOf) -> None:
    work = Work()
    handler = edge(store, samples, work)
    for client in ("\ud800", "\udc00", "\ud800"):
        exchange = samples.served("post_thing", key="k", body=BODY, client=client, accounts=Accounts(ids=("\udfff",)))
        await handler(exchange)
    assert headers_of(exchange) == {"idempotency-replayed": "true"}
    assert work.effects == 2


async def test_a_business_refusal_is_repeated_with_its_members(
    store: Store, samples: Any, headers_of: HeadersOf
) -> None:
    work = Work(samples.OutOfThings(left=3, detail="Three are left."))
    handler = edge(store, samples, work)
    repeat = samples.served("post_thing", key="k", body=BODY)
    with pytest.raises(samples.OutOfThings) as first:
        await handler(samples.served("post_thing", key="k", body=BODY))
    with pytest.raises(samples.OutOfThings) as second:
        await handler(repeat)
    assert work.effects == 1
    assert second.value is not first.value
    assert (second.value.left, second.value.detail) == (3, "Three are left.")
    assert headers_of(repeat) == {"idempotency-replayed": "true"}


class Throttled(Refusal, status=429, type="vendor-throttled", title="The vendor throttles."):
    """A refusal by its class, yet not an outcome."""


@pytest.mark.parametrize(
    "ending",
    [
        RuntimeError("crash"),
        InternalError(),
        SystemUnavailable(),
        DeadlineExceeded(),
        InvalidBody(),
        Throttled(),
        Answer(500),
        Answer(404),
    ],
    ids=repr,
)
async def test_what_is_no_outcome_frees_the_key(store: Store, samples: Any, ending: Exception | Answer) -> None:
    work = Work(ending)
    handler = edge(store, samples, work)
    exchange = samples.served("post_thing", key="k", body=BODY)
    if isinstance(ending, Answer):
        assert await handler(exchange) is ending
    else:
        with pytest.raises(type(ending)):
            await handler(exchange)
    assert exchange.evidence["idempotency"] == "released"
    work.ending = None
    assert (await handler(samples.served("post_thing", key="k", body=BODY))).status == 201
    assert work.effects == 2


async def test_a_cancelled_holder_leaves_the_key_to_its_lease_and_repeats_are_told_its_rest(
    store: Store, samples: Any, headers_of: HeadersOf
) -> None:
    work = Work()
    work.may_end.clear()
    handler = edge(store, samples, work)
    task = asyncio.create_task(handler(samples.served("post_thing", key="k", body=BODY)))
    await work.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (key,) = await store.command(b"KEYS", b"*")
    assert 0 < await store.command(b"TTL", key) <= 30
    for rest_ms, told in ((20_000, "20"), (1_200, "2"), (300, "1")):
        await store.command(b"PEXPIRE", key, rest_ms)
        repeat = samples.served("post_thing", key="k", body=BODY)
        with pytest.raises(IdempotencyInFlight):
            await handler(repeat)
        assert headers_of(repeat) == {"retry-after": told}


async def test_keys_that_are_missing_or_malformed_never_execute(store: Store, samples: Any) -> None:
    work = Work()
    handler = edge(store, samples, work)
    for key, problem in ((None, MissingIdempotencyKey), ('""', InvalidIdempotencyKey), ("a b", InvalidIdempotencyKey)):
        for acting_api in (None, "orders.v1"):
            with pytest.raises(problem):
                await handler(samples.served("post_thing", key=key, body=BODY, acting_api=acting_api))
    assert work.effects == 0


async def test_a_hop_brings_its_derived_key_and_claims_nothing(store: Store, samples: Any) -> None:
    work = Work()
    handler = edge(store, samples, work)
    for _ in range(2):
        exchange = samples.served("post_thing", key="ABCDEFGHIJKLMNOPQRSTUVWXYZ", body=BODY, acting_api="orders.v1")
        await handler(exchange)
        assert exchange.call.idempotency_key == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert work.effects == 2
    assert await store.command(b"DBSIZE") == 0


def test_what_needs_no_key_costs_nothing(samples: Any) -> None:
    enforcement = Enforcement(Settings(), Store("/unused"))
    assert enforcement.enforce(samples.operation("get_thing"), "served") is None
    assert enforcement.enforce(samples.operation("post_thing"), "local") is None


async def test_an_answer_takes_two_round_trips(store: Store, samples: Any) -> None:
    handler = edge(store, samples, Work())
    await handler(samples.served("post_thing", key="warm", body=BODY))
    before = await _commands(store)
    await handler(samples.served("post_thing", key="k", body=BODY))
    assert await _commands(store) - before == 2


async def _commands(store: Store) -> int:
    stats: bytes = await store.command(b"INFO", b"commandstats")
    return int(stats.partition(b"cmdstat_evalsha:calls=")[2].partition(b",")[0])


async def test_an_answer_that_is_too_large_is_not_stored(store: Store, samples: Any) -> None:
    work = Work(Answer(200, (), b"x" * 2_000))
    handler = edge(store, samples, work, largest_outcome_bytes=1_024)
    keys: set[str | None] = set()
    for _ in range(2):
        exchange = samples.served("post_thing", key="k", body=BODY)
        assert (await handler(exchange)).status == 200
        assert exchange.evidence["idempotency"] == "too large"
        keys.add(exchange.call.idempotency_key)
    assert work.effects == 2  # under one key, by which flow and record know what they made
    assert len(keys) == 1
    with pytest.raises(IdempotencyKeyReused):
        await handler(samples.served("post_thing", key="k", body=b'{"name": "other"}'))


async def test_retention_can_differ_by_operation(store: Store, samples: Any) -> None:
    handler = edge(store, samples, Work(), retention_by_operation={"samples.v1.post_thing": 2_592_000})
    await handler(samples.served("post_thing", key="k", body=BODY))
    (key,) = await store.command(b"KEYS", b"*")
    assert 2_591_990 < await store.command(b"TTL", key) <= 2_592_000


@pytest.mark.parametrize("mode", ["closed", "open"])
async def test_a_store_that_hangs_before_the_claim(
    fragile_store: Any, samples: Any, headers_of: HeadersOf, mode: str
) -> None:
    store = Store(fragile_store.socket)
    work = Work()
    handler = edge(store, samples, work, on_store_failure=mode)
    await store.start()
    fragile_store.freeze()
    for _ in range(2):
        exchange = samples.served("post_thing", key="k", body=BODY)
        async with lived() as lived_s:
            if mode == "open":
                assert (await handler(exchange)).status == 201
            else:
                with pytest.raises(SystemUnavailable, match="nothing was done"):
                    await handler(exchange)
                assert headers_of(exchange) == {"retry-after": "1"}
            assert lived_s() < BOUND_S
    assert work.effects == (2 if mode == "open" else 0)
    fragile_store.thaw()
    await store.close()


async def test_a_store_that_hangs_before_the_record_costs_only_the_replay(fragile_store: Any, samples: Any) -> None:
    store = Store(fragile_store.socket)
    work = Work()
    handler = edge(store, samples, work)
    await store.start()
    work.may_end.clear()
    exchange = samples.served("post_thing", key="k", body=BODY)
    task = asyncio.create_task(handler(exchange))
    await work.began.wait()
    fragile_store.freeze()
    work.may_end.set()
    async with lived() as lived_s:
        assert (await task).status == 201
        assert lived_s() < BOUND_S
    assert exchange.evidence["idempotency"] == "unrecorded"
    fragile_store.thaw()
    await store.close()


def test_outcomes_survive_storage() -> None:
    stored = outcome_of(NotFound())
    assert stored is not None
    with pytest.raises(NotFound):
        replay(stored, {"not-found": NotFound})
    answer = replay(stored, {})
    assert answer.status == 404
    assert answer.headers == ((b"content-type", b"application/problem+json"),)
    assert msgspec.json.decode(answer.body)["type"] == "/problems/not-found"


def test_document_probes_and_findings(samples: Any) -> None:
    settings = Settings(retention_by_operation={"samples.v1.get_thing": 60})
    enforcement = Enforcement(settings, Store("/unused"))
    documented = enforcement.document(samples.operation("post_thing"))
    assert [problem.status for problem in documented.problems] == [400, 400, 409, 422, 503]
    assert [(each["name"], each["in"], each["required"]) for each in documented.parameters] == [
        ("Idempotency-Key", "header", True)
    ]
    assert set(documented.problem_headers) == {409, 503}
    assert documented.extensions == {
        "x-idempotency": {
            "retention_s": 86_400,
            "lookup": "/experience/samples/v1/idempotency-keys/post-thing/{key}",
        }
    }
    assert enforcement.document(samples.operation("get_thing")).problems == ()
    probes = list(enforcement.prove(samples.operation("post_thing")))
    assert [probe.control for probe in probes] == [f"ID-00{number}" for number in range(1, 8)]
    assert list(enforcement.prove(samples.operation("get_thing"))) == []
    assert [finding.id for finding in enforcement.audit(samples.operation("get_thing"))] == ["ID-011"]
    assert issubclass(MissingIdempotencyKey, Problem)
    assert Enforcement.stage is Stage.REPLAY
