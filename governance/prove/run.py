"""One run: every control of every operation, and nothing left out silently.

An operation's controls are the probes of every policy, those of the wire, what every answer has,
and what is published about it. Where a control does not apply to an operation the run says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from governance.call import Finding, Policy, Probe
from governance.contract.operation import Api, Operation
from governance.prove.prober import Prober
from governance.prove.proof import Proof
from governance.prove.published import Published
from governance.prove.reply import Send
from governance.prove.standing import documented_proof, standing_proofs
from governance.prove.wire import wire_probes

Watch = Callable[[Operation, Sequence[Proof]], None]
"""Told of each operation that was proved."""


class Subject(Struct, frozen=True, kw_only=True):
    """What is proved: the declarations that a gateway was made from."""

    apis: tuple[Api, ...]
    policies: tuple[Policy, ...]
    max_body_bytes: int = 1_048_576
    max_uri_bytes: int = 8_192

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation of every API."""
        return tuple(operation for api in self.apis for operation in api.operations)

    def probes(self, operation: Operation) -> Iterator[Probe]:
        """Every probe of one operation."""
        for policy in self.policies:
            if policy.proves_deliveries == operation.inbound:
                yield from policy.prove(operation)
        if operation.inbound:  # nothing of its wire is judged before its signature, which no prover can make
            return
        yield from wire_probes(
            operation, self.operations, max_body_bytes=self.max_body_bytes, max_uri_bytes=self.max_uri_bytes
        )

    def findings(self) -> tuple[Finding, ...]:
        """What the policies find in the declarations without running anything."""
        return tuple(
            finding for policy in self.policies for operation in self.operations for finding in policy.audit(operation)
        )


def controls_of(proofs: Iterable[Proof]) -> Mapping[str, str]:
    """Every control by id, with its title."""
    return {one.control: one.title for one in sorted(proofs, key=lambda one: one.control)}


async def prove_operation(subject: Subject, operation: Operation, prober: Prober, published: Published) -> list[Proof]:
    """Everything about one operation."""
    api = next(one for one in subject.apis if operation in one.operations)
    proofs, sent = await prober.prove(operation, subject.probes(operation))
    proofs += standing_proofs(operation, sent)
    proofs += published.proofs(api, operation, sent)
    proofs.append(documented_proof(operation, sent, published.described(api, operation)))
    return proofs


async def prove_all(
    subject: Subject, operations: Sequence[Operation], prober: Prober, send: Send, watch: Watch
) -> list[Proof]:
    """Everything about these operations. What the sender raises ends the run."""
    published = Published(send)
    await published.load(subject.apis, sorted({operation.tier for operation in operations}))
    found: list[Proof] = []

    async def one(operation: Operation) -> None:
        proofs = await prove_operation(subject, operation, prober, published)
        found.extend(proofs)
        watch(operation, proofs)

    try:
        async with asyncio.TaskGroup() as group:
            for operation in operations:
                group.create_task(one(operation))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return found
