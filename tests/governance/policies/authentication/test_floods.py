"""A flood of forged tokens reaches no key and no signature check beyond what a peer may fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from governance.contract.refusals import RateLimited, Unauthenticated
from governance.identity import OwnKeys, TokenVerifier, TrustedIssuer
from governance.policies.authentication import Enforcement, Settings

pytestmark = pytest.mark.anyio


class CountedKeys(OwnKeys):
    """Keys that count how often they are asked for: once before each signature check."""

    asked = 0

    async def find(self, kid: str | None, algorithm: str) -> Any:
        self.asked += 1
        return await super().find(kid, algorithm)


async def test_a_flood_of_forged_tokens_costs_no_signature_checks(gate: Any) -> None:
    keys = CountedKeys([gate.key])
    verifier = TokenVerifier([TrustedIssuer(issuer="https://id.example", keys=keys)], "https://gw.example", gate.clock)
    policy = Enforcement(Settings(failure_burst=20, failures_per_s=1), verifier, gate.clock)
    wrap = policy.enforce(gate.operation, "served")
    assert wrap is not None
    handler = wrap(gate.inner)
    claims = json.dumps({"iss": "https://id.example"})
    stranger = OKPKey.generate_key("Ed25519", {"kid": gate.key.kid})
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": gate.key.kid}
    forged = jws.serialize_compact(header, claims, stranger, algorithms=["Ed25519"])
    refused = {Unauthenticated: 0, RateLimited: 0}
    for _ in range(5_000):
        with pytest.raises((Unauthenticated, RateLimited)) as error:
            await handler(gate.exchange(("Authorization", f"Bearer {forged}")))
        refused[error.type] += 1
    assert refused == {Unauthenticated: 20, RateLimited: 4_980}
    assert keys.asked == 20
    assert not gate.reached
