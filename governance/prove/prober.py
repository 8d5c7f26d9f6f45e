"""Sends probes to a running gateway and holds the answers to what each promises.

No probe has an effect: requests for writes carry ``Tiergate-Probe``, so that even one that is
wrongly let through ends before the implementation. An answer 429 or 503 that says when to come
again, and that no probe asked for, is waited for and not counted; one that stays leaves its probe
unproved. When the gateway can't be reached, the sender's own error goes through.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, get_args

from governance.call import Clock, Probe, SystemClock, TokenKind
from governance.contract.operation import Operation
from governance.contract.problems import NotFound
from governance.contract.refusals import RateLimited
from governance.prove.proof import Outcome, Proof
from governance.prove.reply import Reply, Send, Sent
from governance.prove.requests import Sample, other_arguments, sample_of
from governance.prove.samples import NoSample
from governance.prove.tokens import PROVE, Tokens, Unprovable

BURST_CLIENT = "prover-burst:"
"""How the ids of clients begin that spend their burst."""
MOST_BURST = 20
"""The largest burst that is spent; a larger one is unproved."""
AGAIN = (429, 503)
MOST_WAITS = 5
MOST_WAIT_S = 30
BURST = re.compile(r";q=(\d+);w=(\d+)")
PROBE = "Tiergate-Probe"

BAD_TOKENS = frozenset(get_args(TokenKind)) - {"valid", "none", "no-scope", "no-probe", "other-account"}
"""What a peer may not send as often as it likes."""

Sleep = Callable[[float], Awaitable[None]]
Turn = Callable[[], Awaitable[None]]


class Prober:
    """Proves one running gateway, operation by operation. ``run`` keeps the keys of two runs apart."""

    def __init__(
        self,
        send: Send,
        tokens: Tokens,
        *,
        run: str = "run",
        full: bool = False,
        account: str = "",
        arguments: Mapping[str, Mapping[str, Any]] | None = None,
        bad_token_turn: Turn | None = None,
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Prove as a client of ``account`` (empty: the one that samples name).

        ``full`` runs writes as well; ``arguments`` are those of records that exist, by operation id; ``bad_token_turn``
        returns when the next token that does not verify may be sent.
        """
        self._send = send
        self._tokens = tokens
        self._run = run
        self._full = full
        self._account = account
        self._arguments = arguments or {}
        self._bad_token_turn = bad_token_turn
        self._monotonic = (clock or SystemClock()).monotonic
        self._sleep = sleep

    async def prove(self, operation: Operation, probes: Iterable[Probe]) -> tuple[list[Proof], list[Sent]]:
        """What became of each probe of one operation, and everything that was sent for it."""
        sent: list[Sent] = []
        numbered = [(number, probe) for number, probe in enumerate(probes) if self._full or not probe.effect]
        slow = [one for one in numbered if one[1].token in BAD_TOKENS]
        rest = [one for one in numbered if one[1].token not in BAD_TOKENS]
        found = await asyncio.gather(self._in_turn(operation, slow, sent), self._in_turn(operation, rest, sent))
        return [proof for proofs in found for proof in proofs], sent

    async def _in_turn(
        self, operation: Operation, numbered: Iterable[tuple[int, Probe]], sent: list[Sent]
    ) -> list[Proof]:
        proofs: list[Proof] = []
        for number, probe in numbered:
            key = f"prove-{self._run}-{operation.id}-{probe.control}-{number}"
            proofs += await self._proofs(operation, probe, key, sent)
        return proofs

    async def _proofs(self, operation: Operation, probe: Probe, key: str, sent: list[Sent]) -> list[Proof]:
        try:
            proofs = [proof for earlier in probe.first for proof in await self._proofs(operation, earlier, key, sent)]
            if any(not proof.held for proof in proofs):
                return proofs
            return [await self._proof(operation, probe, key, sent)]
        except (Unprovable, NoSample) as reason:
            return [_proof(operation, probe, f"unproved: {reason}", "unproved")]

    async def _proof(self, operation: Operation, probe: Probe, key: str, sent: list[Sent]) -> Proof:
        if probe.until_spent or (probe.repeat > 1 and probe.expect_status == RateLimited.status):
            return await self._spent(operation, probe, key, sent)
        for _ in range(probe.repeat - 1):
            await self._reply(operation, probe, key, sent)
        reply = await self._reply(operation, probe, key, sent)
        if reply.status in AGAIN and probe.expect_status not in AGAIN:
            return _proof(operation, probe, f"unproved: the gateway kept answering {reply}", "unproved")
        notes = tuple(_notes(probe, reply))
        held = self._status_holds(operation, probe, reply) and not notes
        return _proof(operation, probe, "; ".join((str(reply), *notes)), "held" if held else "failed")

    def _status_holds(self, operation: Operation, probe: Probe, reply: Reply) -> bool:
        named = probe.method != "HEAD"  # which has no body to name a problem in
        if probe.expect_status:
            typed = not probe.expect_type or not named or reply.problem == probe.expect_type
            return reply.status == probe.expect_status and typed
        if reply.status == operation.success_status or operation.id in self._arguments:
            return reply.status == operation.success_status  # a record that is there is shown
        business = {problem.type: problem.status for problem in (*operation.raises, NotFound)}
        return reply.status in business.values() and (not named or reply.problem in business)

    async def _spent(self, operation: Operation, probe: Probe, key: str, sent: list[Sent]) -> Proof:
        """Calls of a client that has made none: as many as announced are admitted, and what comes back meanwhile."""
        client = f"{BURST_CLIENT}{self._run}:{operation.id}"
        began_s = self._monotonic()
        reply = await self._once(operation, probe, key, sent, client)
        announced = [(int(calls), int(window_s)) for calls, window_s in BURST.findall(_policy(reply))]
        if not announced:
            return _proof(operation, probe, f"{reply} without RateLimit-Policy", "failed")
        burst, window_s = min(announced)
        if burst > MOST_BURST:
            reason = f"unproved: the burst is {burst}; give the prover a plan with {MOST_BURST} or less"
            return _proof(operation, probe, reason, "unproved")
        burst //= operation.cost
        most = burst
        admitted = int(reply.status != RateLimited.status)
        while reply.status != RateLimited.status and admitted <= most:
            reply = await self._once(operation, probe, key, sent, client)
            admitted += int(reply.status != RateLimited.status)
            most = burst + int((self._monotonic() - began_s) * burst / max(window_s - 1, 1))
        notes = tuple(_notes(probe, reply))
        held = burst <= admitted <= most and self._status_holds(operation, probe, reply) and not notes
        seen = f"{reply} after {admitted} of {burst} calls"
        return _proof(operation, probe, "; ".join((seen, *notes)), "held" if held else "failed")

    async def _reply(self, operation: Operation, probe: Probe, key: str, sent: list[Sent]) -> Reply:
        client = f"prover:{operation.id}:{probe.client}" if probe.client else ""
        reply = await self._once(operation, probe, key, sent, client)
        for _ in range(MOST_WAITS):
            wait = reply.headers.get("retry-after", "")
            if reply.status not in AGAIN or probe.expect_status in AGAIN or not wait.isdigit():
                break
            await self._sleep(min(int(wait), MOST_WAIT_S))
            reply = await self._once(operation, probe, key, sent, client)
        return reply

    async def _once(self, operation: Operation, probe: Probe, key: str, sent: list[Sent], client: str) -> Reply:
        given = {**self._arguments.get(operation.id, {}), **dict(probe.given)}
        if probe.other_payload:
            given = other_arguments(operation, given)
        sample = sample_of(operation, key=key, given=given, account=self._account)
        method = probe.method or sample.method
        query = "&".join(filter(None, (sample.query, probe.query)))
        path = sample.path + probe.path
        body = sample.body if probe.body is None else probe.body
        headers = self._headers(operation, sample, probe, client)
        if probe.method:
            body = None
            headers = {name: value for name, value in headers.items() if name in ("Accept", "Authorization", PROBE)}
            headers |= dict(probe.with_headers)
        if probe.token in BAD_TOKENS and self._bad_token_turn is not None:
            await self._bad_token_turn()
        reply = await self._send(method, f"{path}?{query}" if query else path, headers, body)
        own = not probe.method and not probe.path
        sent.append(
            Sent(
                control=probe.control,
                case=probe.case,
                method=method,
                path=path,
                token=probe.token,
                reply=reply,
                of_operation=own,
            )
        )
        return reply

    def _headers(self, operation: Operation, sample: Sample, probe: Probe, client: str) -> dict[str, str]:
        left_out = {name.lower() for name in (*probe.without_headers, *dict(probe.with_headers))}
        headers = {name: value for name, value in sample.headers.items() if name.lower() not in left_out}
        scopes = probe.scopes
        if not operation.safe and not probe.effect:
            headers[PROBE] = "reach"
            if probe.expect_status < 400 or PROBE in dict(probe.with_headers):
                scopes = (*scopes, PROVE)  # elsewhere the header alone keeps the implementation from running
        headers |= dict(probe.with_headers)
        token = self._tokens.token(probe.token, operation, client, scopes)
        return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}


def _proof(operation: Operation, probe: Probe, seen: str, outcome: Outcome) -> Proof:
    return Proof(
        control=probe.control,
        operation_id=operation.id,
        title=probe.title,
        case=probe.case,
        expected=_expected(probe),
        seen=seen,
        outcome=outcome,
    )


def _policy(reply: Reply) -> str:
    return reply.headers.get("ratelimit-policy", "")


def _expected(probe: Probe) -> str:
    status = f"{probe.expect_status} {probe.expect_type}".rstrip() if probe.expect_status else "an answer of its own"
    headers = (f"{name}: {pattern}" if pattern else f"no {name}" for name, pattern in probe.expect_headers)
    return ", ".join((status, *headers))


def _notes(probe: Probe, reply: Reply) -> Iterable[str]:
    """What is not as promised beside the status."""
    for name, pattern in probe.expect_headers:
        value = reply.headers.get(name)
        if (value is not None) if not pattern else (value is None or not re.fullmatch(pattern, value)):
            yield f"{name}: {value}" if value is not None else f"no {name}"
    if probe.method == "HEAD" and reply.body:
        yield "a body"
