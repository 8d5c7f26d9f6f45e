"""The one shape of a policy.

A folder (or single module) under ``governance/policies/`` holds a class named ``Enforcement``
derived from ``Policy``, and beside it ``Settings``: a frozen Struct with bounds and defaults that
``[policies.<name>]`` of tiergate.toml fills. The constructor takes ``settings`` and whatever
resources it needs by type. ``enforce`` runs once per operation and binding at start-up; where it
returns None the policy costs that operation nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct

from governance.call.exchange import Binding, Exchange, Wrap
from governance.call.stages import Stage
from governance.contract.problems import Problem

if TYPE_CHECKING:
    from governance.contract.operation import Operation


class Documented(Struct, frozen=True, kw_only=True):
    """What a policy adds to an operation's OpenAPI description."""

    problems: tuple[type[Problem], ...] = ()
    """Every problem that the policy can answer with."""
    parameters: tuple[Mapping[str, Any], ...] = ()
    """OpenAPI Parameter Objects, such as the Idempotency-Key header."""
    success_headers: Mapping[str, Mapping[str, Any]] = {}
    """Header name to OpenAPI Header Object on success."""
    every_header: Mapping[str, Mapping[str, Any]] = {}
    """Header name to OpenAPI Header Object on every answer, refusals included."""
    problem_headers: Mapping[int, Mapping[str, Mapping[str, Any]]] = {}
    """Status to headers that its answers carry, such as Retry-After on 429."""
    extensions: Mapping[str, Any] = {}
    """Members such as ``x-rate-limit`` on the operation."""


TokenKind = Literal[
    "valid",
    "none",
    "garbage",
    "expired",
    "not-yet",
    "wrong-audience",
    "other-issuer",
    "wrong-type",
    "no-expiry",
    "alg-none",
    "hmac-of-public-key",
    "other-key",
    "key-in-header",
    "tampered",
    "critical",
    "no-scope",
    "no-probe",
    "other-account",
]
"""The tokens that probes are sent with: one good one, and every wrong kind of it."""


class Probe(Struct, frozen=True, kw_only=True):
    """One request that a policy says must be refused (or pass), starting from a valid request.

    Requests that would reach the implementation of a write carry ``Tiergate-Probe``, so none has an effect.
    """

    control: str
    """Stable id such as ``AU-001``."""
    title: str
    """What holds, in a sentence; the same for every operation."""
    case: str = ""
    """Which of several requests of the control this is."""
    expect_status: int
    """0 for any answer of the operation itself: a success, or a business refusal."""
    expect_type: str = ""
    """Problem type id without ``/problems/``; empty where the status says all."""
    expect_headers: tuple[tuple[str, str], ...] = ()
    """Name in lower case and the pattern that its whole value has; an empty pattern: it must not be there."""
    without_headers: tuple[str, ...] = ()
    with_headers: tuple[tuple[str, str], ...] = ()
    token: TokenKind = "valid"  # noqa: S105 - a kind of token
    scopes: tuple[str, ...] = ()
    """Held beside the operation's own."""
    client: str = ""
    """Another client than the one that the other probes of the operation are sent by."""
    method: str = ""
    """Another method than the operation's."""
    query: str = ""
    """Appended to the query as it stands."""
    path: str = ""
    """Appended to the path as it stands."""
    given: tuple[tuple[str, Any], ...] = ()
    """Arguments of the operation by name, in place of samples."""
    other_payload: bool = False
    """Another valid request of the operation than the sample."""
    repeat: int = 1
    """How often the request is sent; the expectation is for the last."""
    until_spent: bool = False
    """Sent by a client of its own as often as ``RateLimit-Policy`` says it may be, and once more."""
    first: tuple[Probe, ...] = ()
    """Sent before, under the same idempotency key; each of them must hold as well."""
    body: bytes | None = None
    effect: bool = False
    """Runs the implementation of a write: sent only where that was asked for."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something static that is wrong or weak in a declaration."""

    id: str
    operation_id: str
    detail: str
    severity: Literal["error", "warning"] = "error"


class Policy(ABC):
    """One rule of governance, resolved once per operation at start-up."""

    name: ClassVar[str]
    stage: ClassVar[Stage]
    position: ClassVar[int] = 50
    """Order within the stage: lower is nearer to the caller."""
    proves_deliveries: ClassVar[bool] = False
    """Whether its probes are for inbound operations, which no token opens; else they are for all others."""

    @abstractmethod
    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """The wrapper for this operation in this binding, or None where the policy does not apply."""

    async def refused(self, exchange: Exchange) -> None:  # noqa: B027 - most policies leave it at that
        """Called once for a served call that was refused, at whatever stage: it may add headers, and raises nothing."""

    def beside(self, operation: Operation) -> Iterable[tuple[Operation, object]]:
        """Operations that the policy serves beside this one, each with its service, under the same policies."""
        return ()

    def document(self, operation: Operation) -> Documented:
        """The policy's part of the operation's contract document."""
        return Documented()

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """What must be refused and what must pass on a running gateway."""
        return ()

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """What is wrong in the declaration, found without running it."""
        return ()

    async def start(self) -> None:  # noqa: B027 - most policies open nothing
        """Open what the policy needs; called once before the first call."""

    async def stop(self) -> None:  # noqa: B027 - most policies open nothing
        """Close what ``start`` opened."""
