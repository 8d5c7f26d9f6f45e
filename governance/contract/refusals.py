"""What the gateway itself answers, before or around an implementation: one class a problem type.

Each is documented on every operation whose policies can answer it. Statuses follow RFC 9110;
401 and 403 follow RFC 6750 §3.1; 409, 422 and 400 of the key follow
draft-ietf-httpapi-idempotency-key-header-07 §2.7.
"""

from __future__ import annotations

from datetime import date

from governance.contract.problems import Problem, Violation


class MalformedRequest(Problem, status=400, type="malformed-request", title="The request can't be read."):
    """Framing, headers, UTF-8 or JSON syntax are broken."""


class InvalidParameters(Problem, status=400, type="invalid-parameters", title="A parameter is wrong."):
    """A path, query or header parameter is missing, unknown or breaks its type; ``errors`` names each."""

    def __init__(self, violations: tuple[Violation, ...] = (), detail: str = "") -> None:
        super().__init__(detail=detail or _summary(violations))
        self.violations = violations


class InvalidBody(Problem, status=422, type="invalid-body", title="The body breaks its schema."):
    """``errors`` names every violation with a JSON Pointer."""

    def __init__(self, violations: tuple[Violation, ...] = (), detail: str = "") -> None:
        super().__init__(detail=detail or _summary(violations))
        self.violations = violations


class Unauthenticated(Problem, status=401, type="unauthenticated", title="A valid access token is needed."):
    """No token, or one that does not verify."""


class InsufficientScope(Problem, status=403, type="insufficient-scope", title="The token lacks a scope."):
    """The operation needs ``scope``."""

    scope: str


class UnknownPath(Problem, status=404, type="unknown-path", title="No operation has this path."):
    """The path belongs to no operation and no page."""


class MethodNotAllowed(Problem, status=405, type="method-not-allowed", title="The path does not have this method."):
    """``Allow`` lists what the path has."""


class Gone(Problem, status=410, type="gone", title="The operation is gone."):
    """It was announced to go and went on ``sunset``; ``successor`` takes its place, where there is one."""

    sunset: date
    successor: str


class BrownOutUnderWay(Problem, status=503, type="brown-out", title="The operation is going away.", retryable=True):
    """A scheduled refusal of a deprecated operation: it serves again at ``Retry-After``, until ``sunset``."""

    sunset: date
    successor: str


class NotAcceptable(Problem, status=406, type="not-acceptable", title="No acceptable representation."):
    """The operation answers application/json and application/problem+json."""


class RequestTimeout(Problem, status=408, type="request-timeout", title="The body took too long.", retryable=True):
    """The body did not arrive in time; nothing was done."""


class BodyTooLarge(Problem, status=413, type="body-too-large", title="The body is too large."):
    """Nothing above the limit is read."""

    limit_bytes: int


class UriTooLong(Problem, status=414, type="uri-too-long", title="The request target is too long."):
    """Path and query together are above the limit."""


class UnsupportedMediaType(Problem, status=415, type="unsupported-media-type", title="Send application/json."):
    """The body's content type or coding is not one that the operation reads."""


class PreconditionFailed(Problem, status=412, type="precondition-failed", title="The record has changed."):
    """``If-Match`` names another revision: read it again, then decide (RFC 9110 §13.1.1)."""


class PreconditionRequired(Problem, status=428, type="precondition-required", title="Say which revision you change."):
    """Send ``If-Match`` with the ETag that you read (RFC 6585 §3)."""


class RateLimited(Problem, status=429, type="rate-limited", title="Too many requests.", retryable=True):
    """``Retry-After`` says when the next one is admitted; this one cost nothing."""


class MissingIdempotencyKey(Problem, status=400, type="idempotency-key-missing", title="An Idempotency-Key is needed."):
    """The operation makes something and must not make it twice."""


class InvalidIdempotencyKey(
    Problem, status=400, type="idempotency-key-invalid", title="The Idempotency-Key is malformed."
):
    """1 to 255 printable ASCII characters."""


class IdempotencyInFlight(
    Problem, status=409, type="idempotency-key-in-flight", title="The first request is still running.", retryable=True
):
    """Another request with this key has not answered yet; ask again with the same key."""


class IdempotencyKeyReused(
    Problem, status=422, type="idempotency-key-reused", title="The key came with another request."
):
    """The key was used for another payload or operation; a new request needs a new key."""


class InternalError(Problem, status=500, type="internal-error", title="Something went wrong in the gateway."):
    """The request id finds the cause in the log; no detail leaves the process."""


class SystemUnavailable(
    Problem, status=503, type="unavailable", title="A system behind the gateway is away.", retryable=True
):
    """``Retry-After`` says when to ask again: in ``retry_after_s`` seconds, which is no member of the document."""

    def __init__(self, *, detail: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(detail=detail)
        self.retry_after_s = retry_after_s


class Overloaded(Problem, status=503, type="overloaded", title="The gateway has too much to do.", retryable=True):
    """Refused before anything was done, so that what is under way ends in time; ``Retry-After`` says when to ask."""


class DeadlineExceeded(Problem, status=504, type="deadline-exceeded", title="The deadline passed.", retryable=True):
    """The call's time was used up before the work began, or while a system behind was awaited."""


def _summary(violations: tuple[Violation, ...]) -> str:
    match len(violations):
        case 0:
            return ""
        case 1:
            one = violations[0]
            where = one.pointer or one.parameter or one.header
            return f"{where}: {one.detail}" if where else one.detail
        case many:
            return f"{many} things are wrong; errors names each."
