"""CORS: which browser pages may read the answers, by consumer.

A preflight carries no token, so it is judged by the origins of all consumers; the answer itself is
readable only for an origin of the very client that called. A refusal before the caller is known is
readable for any consumer's origin, or a portal could not tell 401 from a network failure.

Standard: the Fetch standard, §3.2 (CORS protocol). Credentials are never allowed: tokens travel in
the Authorization header, cookies are not used.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from governance.call import Binding, Documented, Exchange, Handler, Policy, Probe, Stage, Wrap
from governance.consumers import Consumers
from governance.contract.operation import Operation

REQUEST_HEADERS = b"authorization, content-type, idempotency-key, if-match, if-none-match, prefer, traceparent"
STRANGER = "https://stranger.invalid"
"""An origin that nobody can have (RFC 6761 §6.4)."""
EXPOSED = (
    b"deprecation, etag, idempotency-replayed, link, location, preference-applied, ratelimit, "
    b"ratelimit-policy, request-id, retry-after, sunset, www-authenticate"
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.cors]``; the origins stand with each consumer."""

    max_age_s: Annotated[int, Meta(ge=0, le=86_400, description="Seconds for which a browser keeps a preflight.")] = 600


class Enforcement(Policy):
    """Adds the CORS headers to answers of browsers' calls."""

    name = "cors"
    stage = Stage.ANNOTATE
    position = 60

    def __init__(self, settings: Settings, consumers: Consumers) -> None:
        self._consumers = consumers
        self._max_age = str(settings.max_age_s).encode()

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation: a consumer may have its first origin while the gateway runs."""
        if binding != "served":
            return None

        def wrap(inner: Handler) -> Handler:
            def cors(exchange: Exchange) -> Awaitable[Any]:
                if not self._consumers.origins:
                    return inner(exchange)
                origin = exchange.served.headers.get(b"origin")
                if origin is None:
                    exchange.response_headers.append((b"vary", b"origin"))
                    return inner(exchange)
                return readable(exchange, origin)

            async def readable(exchange: Exchange, origin: bytes) -> Any:
                try:
                    return await inner(exchange)
                finally:
                    exchange.response_headers.append((b"vary", b"origin"))
                    if self._readable(exchange, origin.decode("latin-1")):
                        exchange.response_headers += [
                            (b"access-control-allow-origin", origin),
                            (b"access-control-expose-headers", EXPOSED),
                        ]

            return cors

        return wrap

    def _readable(self, exchange: Exchange, origin: str) -> bool:
        if exchange.principal is None:
            return origin in self._consumers.origins
        return self._consumers.allows_origin(exchange.principal.client_id, origin)

    def preflight(self, origin: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """The headers of a preflight's answer; none for an origin that no consumer has."""
        if origin.decode("latin-1") not in self._consumers.origins:
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-headers", REQUEST_HEADERS),
            (b"access-control-max-age", self._max_age),
            (b"vary", b"origin"),
        )

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """A page of a stranger reads nothing and is told nothing."""
        origin = ("Origin", STRANGER)
        silent = (("access-control-allow-origin", ""), ("access-control-allow-credentials", ""))
        yield Probe(
            control="CO-001",
            title="A preflight from an origin that no consumer has allows nothing",
            expect_status=204,
            expect_headers=(*silent, ("access-control-allow-methods", ""), ("access-control-allow-headers", "")),
            method="OPTIONS",
            with_headers=(origin, ("Access-Control-Request-Method", operation.method)),
        )
        yield Probe(
            control="CO-002",
            title="An answer is not readable for an origin that its client does not have",
            expect_status=0 if operation.safe else 204,
            expect_headers=silent,
            with_headers=(origin,),
        )
        for own in sorted(self._consumers.origins)[:1]:
            yield Probe(
                control="CO-003",
                title="A preflight from a consumer's origin allows that origin alone",
                expect_status=204,
                expect_headers=(
                    ("access-control-allow-origin", re.escape(own)),
                    ("access-control-allow-credentials", ""),
                ),
                method="OPTIONS",
                with_headers=(("Origin", own), ("Access-Control-Request-Method", operation.method)),
            )

    def document(self, operation: Operation) -> Documented:
        """Nothing: CORS is a matter between browser and gateway, not of the contract."""
        return Documented()
