"""Authentication at the edge: RFC 6750 §2, §3, with what it lets through and what it says when it does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from governance.call import Exchange
from governance.contract.refusals import MalformedRequest, RateLimited, SystemUnavailable, Unauthenticated

pytestmark = pytest.mark.anyio
Challenge = Callable[[Exchange], str]


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


async def test_a_good_token_identifies_the_call(gate: Any) -> None:
    exchange = gate.exchange(bearer(gate.token()))
    assert await gate.handler(exchange) == "inner"
    call = exchange.under
    assert exchange.principal is call.principal
    assert (call.principal.subject, call.principal.acting_api, call.account_id) == ("u-1", None, "ACME")
    assert (call.operation_id, call.request_id, call.deadline) == ("parts.v1.get_part", "r-1", None)
    assert exchange.response_headers == []


async def test_a_known_token_passes_without_waiting(gate: Any) -> None:
    token = gate.token()
    await gate.handler(gate.exchange(bearer(token)))
    waiting = gate.handler(gate.exchange(bearer(token)))
    assert inspect.iscoroutine(waiting)
    assert waiting.cr_code is gate.inner.__code__, "the next handler's own awaitable"
    assert await waiting == "inner"


def test_a_local_call_is_not_authenticated_again(gate: Any) -> None:
    assert gate.policy.enforce(gate.operation, "local") is None


@pytest.mark.rule("RFC 6750 §2.1", "The token stands after the Bearer scheme")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_read_as_http_says(gate: Any, scheme: str) -> None:
    assert (
        await gate.handler(gate.exchange(("Authorization", f"{scheme} {gate.token()}".replace("  ", " ")))) == "inner"
    )


@pytest.mark.rule("RFC 6750 §3", "401 carries a Bearer challenge")
@pytest.mark.rule("RFC 6750 §3.1", "Without credentials the challenge names no error")
@pytest.mark.parametrize("headers", [[], [("Authorization", "Basic c2hvcDp4")], [("Authorization", "")]])
async def test_without_a_token_no_error_is_named(gate: Any, challenge_of: Challenge, headers: Any) -> None:
    exchange = gate.exchange(*headers)
    with pytest.raises(Unauthenticated):
        await gate.handler(exchange)
    challenge = challenge_of(exchange)
    assert challenge.startswith('Bearer realm="tiergate"')
    assert "error" not in challenge
    assert 'resource_metadata="https://gw.example/.well-known/oauth-protected-resource/process"' in challenge
    assert exchange.call is None
    assert not gate.reached


@pytest.mark.rule("RFC 6750 §3.1", "A token that is expired, revoked or otherwise invalid is invalid_token, 401")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": 1}, "expired"),
        ({"aud": "https://gw.example/system"}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"scope": 7}, "claims"),
    ],
)
async def test_a_bad_token_is_named_with_its_reason(
    gate: Any, challenge_of: Challenge, changed: dict[str, Any], reason: str
) -> None:
    exchange = gate.exchange(bearer(gate.token(**changed)))
    with pytest.raises(Unauthenticated):
        await gate.handler(exchange)
    assert 'error="invalid_token", error_description="' in challenge_of(exchange)
    assert exchange.evidence["token"] == reason
    assert not gate.reached


@pytest.mark.rule("RFC 6750 §3.1", "A malformed token is invalid_token")
@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "a b", "é", "a,b", 'x", error="none', "=" * 20])
async def test_garbage_is_an_invalid_token(gate: Any, challenge_of: Challenge, token: str) -> None:
    exchange = gate.exchange(bearer(token))
    with pytest.raises(Unauthenticated):
        await gate.handler(exchange)
    assert 'error="invalid_token"' in challenge_of(exchange)


@pytest.mark.rule("RFC 6750 §2", "A client uses one method in one request")
@pytest.mark.rule("RFC 6750 §3.1", "Repeated credentials are invalid_request, 400")
async def test_two_authorization_headers_are_refused(gate: Any, challenge_of: Challenge) -> None:
    for first, second in ((gate.token(), gate.token()), ("garbage", gate.token()), (gate.token(), "garbage")):
        exchange = gate.exchange(bearer(first), bearer(second))
        with pytest.raises(MalformedRequest):
            await gate.handler(exchange)
        assert 'error="invalid_request"' in challenge_of(exchange)
    assert not gate.reached


async def test_another_header_may_come_twice(gate: Any) -> None:
    exchange = gate.exchange(("Accept", "a"), ("Accept", "b"), bearer(gate.token()))
    assert await gate.handler(exchange) == "inner"


@pytest.mark.rule("RFC 9700 §4.3.2", "A token in the address is refused")
@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "%61ccess_token"])
async def test_a_token_in_the_address_is_refused(gate: Any, challenge_of: Challenge, name: str) -> None:
    query = f"limit=5&{name}={gate.token()}".encode()
    for headers in ([], [bearer(gate.token())]):
        exchange = gate.exchange(*headers, query=query)
        with pytest.raises(MalformedRequest):
            await gate.handler(exchange)
        assert 'error="invalid_request"' in challenge_of(exchange)
    assert not gate.reached


async def test_other_query_parameters_pass(gate: Any) -> None:
    query = b"query=access_token&token=1&a=%5F"
    assert await gate.handler(gate.exchange(bearer(gate.token()), query=query)) == "inner"


async def test_an_issuer_that_is_away_is_503_and_never_open(gate: Any) -> None:
    exchange = gate.exchange(bearer(gate.token(iss="https://away.example")))
    with pytest.raises(SystemUnavailable):
        await gate.handler(exchange)
    assert exchange.response_headers == [(b"retry-after", b"7")]
    assert not gate.reached


# Floods


async def test_a_flood_of_bad_tokens_is_stopped_before_cryptography(gate: Any) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await gate.handler(gate.exchange(bearer("garbage")))
    good = gate.token()
    exchange = gate.exchange(bearer(good))
    with pytest.raises(RateLimited):
        await gate.handler(exchange)
    assert exchange.response_headers == [(b"retry-after", b"1")]
    assert gate.verifier.known(good.encode(), "process") is None
    assert await gate.handler(gate.exchange(bearer(good), peer="192.0.2.2")) == "inner"
    gate.clock.advance(1)
    assert await gate.handler(gate.exchange(bearer(gate.token(sub="u-2")))) == "inner"


async def test_a_flood_never_hinders_a_known_token(gate: Any) -> None:
    good = gate.token()
    await gate.handler(gate.exchange(bearer(good)))
    for _ in range(20):
        with pytest.raises((Unauthenticated, RateLimited)):
            await gate.handler(gate.exchange(bearer("garbage")))
    assert await gate.handler(gate.exchange(bearer(good))) == "inner"


async def test_a_missing_token_is_no_failure(gate: Any) -> None:
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await gate.handler(gate.exchange())
    assert await gate.handler(gate.exchange(bearer(gate.token()))) == "inner"


# Hops


async def test_a_hop_acts_for_its_user(gate: Any) -> None:
    exchange = gate.exchange(
        bearer(gate.hop_token()), ("Request-Id", "outer-1"), ("Tiergate-Deadline-Ms", "1500"), ("Prefer", "wait=2.5")
    )
    assert await gate.handler(exchange) == "inner"
    call = exchange.under
    assert (call.principal.acting_api, call.principal.scopes) == ("portal.v1", {"parts.parts:read"})
    assert (call.on_behalf_of.acting_api, call.on_behalf_of.scopes) == (None, {"portal.parts:read"})
    assert (call.account_id, call.on_behalf_of.client_id) == ("ACME", "c-1")
    assert (call.request_id, call.deadline, call.wait_s) == ("outer-1", gate.clock.monotonic() + 1.5, 2.5)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<script>"])
async def test_a_malformed_request_id_of_a_hop_is_left_out(gate: Any, given: str) -> None:
    exchange = gate.exchange(bearer(gate.hop_token()), ("Request-Id", given), ("Tiergate-Deadline-Ms", "-5"))
    await gate.handler(exchange)
    assert (exchange.under.request_id, exchange.under.deadline) == ("r-1", None)


async def test_a_user_sets_neither_request_id_nor_deadline(gate: Any) -> None:
    exchange = gate.exchange(bearer(gate.token()), ("Request-Id", "mine"), ("Tiergate-Deadline-Ms", "1"))
    await gate.handler(exchange)
    assert (exchange.under.request_id, exchange.under.deadline) == ("r-1", None)


# Documents


def test_what_it_documents_and_proves(gate: Any) -> None:
    documented = gate.policy.document(gate.operation)
    assert Unauthenticated in documented.problems
    assert set(documented.problem_headers) == {401, 429, 503}
    probes = tuple(gate.policy.prove(gate.operation))
    assert [probe.control for probe in probes] == [f"AU-{number:03}" for number in range(1, 16)]
    assert {"none", "alg-none", "hmac-of-public-key", "key-in-header"} <= {probe.token for probe in probes}
