"""Other machines: the issuers whose tokens are accepted, and the processes that serve other tiers.

None of them keeps a gateway from starting, so one that is away is a warning: it may come up later,
and until then what needs it answers 503. One that answers something else is a failure.
"""

from __future__ import annotations

import asyncio

from gateway.checking.finding import Finding
from gateway.settings import ExternalIssuer
from governance.call import SystemClock
from governance.egress.exchange import Outgoing
from governance.egress.failures import ExchangeFailed
from governance.egress.wire import Bounds, Wire
from governance.identity import KeysUnavailable, RemoteKeys

WITHIN_S = 3.0
READY_BYTES = 65_536


async def examine_issuer(issuer: ExternalIssuer) -> Finding:
    """Fetch its keys as the gateway would, by its metadata where no address of them is given."""
    what = f"issuer {issuer.issuer}"
    keys = RemoteKeys(issuer.issuer, SystemClock(), jwks_url=issuer.jwks_url)
    try:
        async with asyncio.timeout(2 * WITHIN_S):
            await keys.find("tiergate-check", "RS256")
    except (KeysUnavailable, TimeoutError):
        named = f"issuers.jwks_url ({issuer.jwks_url})" if issuer.jwks_url else "the issuer's URL and its metadata"
        return Finding(
            what=what,
            result="warning",
            detail="Its keys can't be had: it does not answer, or with no JWK Set of this issuer.",
            advice=f"Check {named}; until its keys are here, its tokens are answered 503.",
        )
    return Finding(what=what, result="ok", detail="its keys can be had")


async def examine_place(tier: str, url: str) -> Finding:
    """Ask the process there whether it is ready."""
    what = f"placement.{tier}"
    bounds = Bounds(connect_s=WITHIN_S, read_s=WITHIN_S, total_s=WITHIN_S, most_bytes=READY_BYTES)
    wire = Wire(connections=1)
    await wire.start()
    try:
        reply = await wire.exchange(Outgoing(method="GET", url=f"{url}/readyz"), {}, bounds)
    except ExchangeFailed:
        advice = f"Start the process that serves the {tier} tier; until then calls to it answer 503."
        return Finding(what=what, result="warning", detail=f"{url} does not answer.", advice=advice)
    finally:
        await wire.stop()
    if reply.status == 200:
        return Finding(what=what, result="ok", detail=f"{url} is ready")
    if reply.status == 503:
        return Finding(what=what, result="warning", detail=f"{url} is not ready yet.", advice="See what it waits for.")
    return Finding(
        what=what,
        result="failed",
        detail=f"{url}/readyz answers {reply.status}, as no Tiergate does.",
        advice=f"Correct {what}.",
    )
