"""Sends the probes of every policy to a running gateway and holds the answers to what each promises."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from governance.call import Policy, Probe
from governance.contract.operation import Operation
from governance.prove.requests import Sample, sample_of
from governance.prove.tokens import ProbeTokens


class Reply(Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: Mapping[str, str] = {}
    """Names in lower case."""
    body: bytes = b""

    @property
    def problem(self) -> str:
        """The id of the problem type without ``/problems/``; empty where the answer is none."""
        if "problem+json" not in self.headers.get("content-type", ""):
            return ""
        return msgspec.json.decode(self.body, type=_ProblemType).type.removeprefix("/problems/")


class _ProblemType(Struct, frozen=True):
    type: str


class Send(Protocol):
    """Sends one request to the gateway."""

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Awaitable[Reply]:
        """The answer, whatever its status."""
        ...


class Proof(Struct, frozen=True, kw_only=True):
    """What a probe promised of one operation, and what came."""

    control: str
    operation_id: str
    title: str
    expected: str
    seen: str

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        return self.expected == self.seen

    def __str__(self) -> str:
        return f"{self.control} {self.operation_id}: {self.title}: {self.seen}, not {self.expected}"


class Prober:
    """Proves policies on one running gateway."""

    def __init__(self, send: Send, tokens: ProbeTokens) -> None:
        self._send = send
        self._tokens = tokens

    async def prove(self, operation: Operation, policies: Iterable[Policy], *, most_repeats: int = 1) -> list[Proof]:
        """Every probe of these policies for one operation.

        Probes that repeat a request more than ``most_repeats`` times are left out: they spend a
        client's burst, so run them for a few operations only.
        """
        probes = [probe for policy in policies for probe in policy.prove(operation)]
        return [await self._proof(operation, probe) for probe in probes if probe.repeat <= most_repeats]

    async def _proof(self, operation: Operation, probe: Probe) -> Proof:
        sample = sample_of(operation, key=f"prove-{operation.id}-{probe.control}")
        headers = self._headers(operation, sample, probe)
        body = sample.body if probe.body is None else probe.body
        for _ in range(probe.repeat - 1):
            await self._send(sample.method, sample.target, headers, body)
        reply = await self._send(sample.method, sample.target, headers, body)
        return Proof(
            control=probe.control,
            operation_id=operation.id,
            title=probe.title,
            expected=f"{probe.expect_status} {probe.expect_type}".rstrip(),
            seen=f"{reply.status} {reply.problem}".rstrip() if probe.expect_type else str(reply.status),
        )

    def _headers(self, operation: Operation, sample: Sample, probe: Probe) -> dict[str, str]:
        left_out = {name.lower() for name in probe.without_headers}
        headers = {name: value for name, value in sample.headers.items() if name.lower() not in left_out}
        for name, value in probe.with_headers:
            headers = {other: given for other, given in headers.items() if other.lower() != name.lower()}
            headers[name] = value
        client = f"prover:{operation.id}:{probe.control}" if probe.repeat > 1 else ""
        token = self._tokens.token(probe.token, operation, client)
        return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
