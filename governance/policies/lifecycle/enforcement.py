"""Lifecycle: a deprecated operation says so on every answer, refuses during its brown-outs and is gone after its sunset.

Guarantees: ``Deprecation``, ``Sunset`` and ``Link`` stand on every answer, refusals included. From the sunset on the
answer is 410 with a pointer to the successor, given after the caller is known, so that uses are recorded per
consumer. A brown-out is 503 with ``Retry-After`` at its end: who retries is served late and who watches errors
learns of it. Other APIs of this gateway are not cut off by a date: their calls go on until the operation is
declared retired, which the start refuses while somebody needs it.

Standards: RFC 9745, RFC 8594, RFC 9110 §15.5.11 (410), §10.2.3 (Retry-After).

While the store is away, uses are kept in memory; nothing else here depends on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from math import ceil
from typing import Any, NewType

from governance.call import Binding, Clock, Documented, Exchange, Finding, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Api, Operation
from governance.contract.refusals import BrownOutUnderWay, Gone
from governance.policies.lifecycle.announcement import DEPRECATION, LINK, SUNSET, Pairs, announcement
from governance.policies.lifecycle.settings import Settings
from governance.policies.lifecycle.uses import Uses

Apis = NewType("Apis", Mapping[str, Api])
"""API id to the API, of the whole gateway."""


class Enforcement(Policy):
    """Applies to deprecated and retired operations; costs every other nothing."""

    name = "lifecycle"
    stage = Stage.IDENTIFY
    position = 90

    def __init__(self, settings: Settings, uses: Uses, clock: Clock, apis: Apis) -> None:
        self._settings = settings
        self._uses = uses
        self._clock = clock
        self._announced: dict[Operation, Pairs] = {
            operation: fields
            for api in apis.values()
            for operation in api.operations
            if (fields := announcement(operation, apis))
        }

    async def start(self) -> None:
        """Begin to write uses down."""
        await self._uses.start()

    async def stop(self) -> None:
        """Write the last uses."""
        await self._uses.stop()

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation that is going or gone."""
        fields = self._announced.get(operation)
        if fields is None or binding != "served":
            return None
        life, note, now_is = operation.lifecycle, self._uses.note, self._clock.now

        def wrap(inner: Handler) -> Handler:
            def judged(exchange: Exchange) -> Awaitable[Any]:
                principal = exchange.under.principal
                note(operation.id, principal.acting_api or principal.client_id)
                now = now_is()
                inside = principal.acting_api is not None
                if life.stage == "retired" or (life.gone(now) and not inside):
                    raise _gone(operation)
                span = None if inside else life.brown_out(now)
                if span is not None:
                    wait_s = ceil((span.ends - now).total_seconds())
                    exchange.response_headers.append((b"retry-after", b"%d" % wait_s))
                    raise BrownOutUnderWay(
                        sunset=life.sunset_at.date(),
                        successor=life.successor,
                        detail=f"It is announced to go and refuses its clients for another {wait_s} s, to be noticed.",
                    )
                exchange.evidence["lifecycle"] = True
                exchange.response_headers.extend(fields)
                return inner(exchange)

            return judged

        return wrap

    async def refused(self, exchange: Exchange) -> None:
        """Announce it on refusals that were made before the operation was reached."""
        fields = self._announced.get(exchange.operation)
        if fields is not None and "lifecycle" not in exchange.evidence:
            exchange.response_headers.extend(fields)

    def document(self, operation: Operation) -> Documented:
        """``deprecated``, the sunset, the header fields, and the two refusals."""
        life = operation.lifecycle
        if operation not in self._announced:
            return Documented()
        headers = {"Link": LINK}
        if life.since is not None:
            headers["Deprecation"] = DEPRECATION
        extensions: dict[str, Any] = {"deprecated": True}
        if life.sunset is not None:
            headers["Sunset"] = SUNSET
            extensions["x-sunset"] = life.sunset.isoformat()
        if life.successor:
            extensions["x-successor"] = life.successor
        problems = (Gone, BrownOutUnderWay) if life.brown_outs else (Gone,)
        return Documented(problems=problems, every_header=headers, extensions=extensions)

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """The announcement is there where it is due, and nowhere else."""
        announced = dict(self._announced.get(operation, ()))
        expected = tuple((name, "" if name.encode() not in announced else ".+") for name in ("deprecation", "sunset"))
        yield Probe(
            control="LC-001",
            title="What is going away says so on every answer, and nothing else does",
            expect_status=401,
            expect_headers=expected,
            token="none",  # noqa: S106 - the kind of token to probe with, no secret
        )
        if operation.lifecycle.gone(self._clock.now()):
            yield Probe(
                control="LC-002", title="What is gone answers 410", expect_status=Gone.status, expect_type=Gone.type
            )

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """A notice that is too short."""
        life = operation.lifecycle
        least = self._settings.notice_days(operation.tier)
        if life.stage == "deprecated" and life.notice.days < least:
            yield Finding(
                id="LC-010",
                operation_id=operation.id,
                detail=f"Its sunset comes {life.notice.days} days after its deprecation; "
                f"callers of the {operation.tier} tier have at least {least}.",
            )


def _gone(operation: Operation) -> Gone:
    life = operation.lifecycle
    instead = f" Use {life.successor}." if life.successor else ""
    return Gone(
        sunset=life.sunset_at.date(),
        successor=life.successor,
        detail=f"It went on {life.sunset_at.date().isoformat()}.{instead}",
    )
