"""The real gateway with all tiers, in process over the embedded store and systems, and a caller for each operation."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.app import build
from gateway.composition.application import Tiergate
from gateway.serving.lifespan import Lifespan
from gateway.settings import Settings, load_settings
from governance.call import Policy, SystemClock
from governance.contract import Api, Operation
from governance.identity import KeyFile
from governance.identity.issuers import ACCESS_TYPE
from governance.identity.key_file import ALGORITHM
from governance.openapi.document import document
from governance.prove import ProbeTokens, Reply
from governance.prove.tokens import signed
from tests.conformance.every_operation import INBOUND
from tests.governance.bindings.sample_gateway import ask

CONFIGURATION = """
[policies.authentication]
failure_burst = 100000

[policies.webhook_signature]
failure_burst = 100000

[egress]
guarded_exempt = ["127.0.0.1/32"]
"""
"""Bad tokens and signatures as many as there are probes, and webhooks to this machine, where nobody listens."""
WEBHOOK_SECRET = "whsec_" + "Q29uZm9ybWFuY2UgdGVzdHMgc2lnbiB3aXRoIHRoaXM="
SOURCE = '[policies.webhook_signature.sources.{}]\nsecrets = ["env:WEBHOOK_SECRET"]\n'
SOURCES = "".join(SOURCE.format(operation.api_id.partition(".")[0]) for operation in INBOUND.values())


class Served:
    """A running gateway as a client meets it, and what its contracts promise."""

    def __init__(self, application: Tiergate, settings: Settings) -> None:
        self.application = application
        self.policies: tuple[Policy, ...] = application.state.policies
        self.apis: tuple[Api, ...] = tuple(node.api for node in application.state.nodes)
        self.operations = {operation.id: operation for api in self.apis for operation in api.operations}
        self.documents: dict[str, Any] = {api.id: document(api, self.policies) for api in self.apis}
        self.tokens = _tokens(settings)
        self.home = settings.home

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One request."""
        answer = await ask(self.application, method, target, headers=headers, body=body)
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    def authorized(self, operation: Operation, headers: Mapping[str, str], client: str = "") -> dict[str, str]:
        """These headers with a token that opens the operation."""
        return {**headers, "Authorization": f"Bearer {self.tokens.token('valid', operation, client)}"}

    def token_of(self, operation: Operation, client: str, account: str, reach: str = "own", *scopes: str) -> str:
        """A token of a client that is bound to this account."""
        claims = self.tokens.claims("valid", operation, client, scopes)
        claims |= {"accounts": [account], "account_reach": reach}
        return signed({"alg": ALGORITHM, "typ": ACCESS_TYPE, "kid": self.tokens.key.kid}, claims, self.tokens.key)

    def documented(self, operation: Operation) -> dict[str, Any]:
        """The operation as its document describes it."""
        found: dict[str, Any] = self.documents[operation.api_id]
        path = operation.path.removeprefix(found["servers"][0]["url"])
        described: dict[str, Any] = found["paths"][path][operation.method.lower()]
        return described


def _tokens(settings: Settings) -> ProbeTokens:
    keys = KeyFile(settings.home / "keys" / "issuer.json").load_or_create()
    return ProbeTokens(key=keys[0], issuer=settings.public_url, clock=SystemClock(), accounts=("ACME",))


@pytest.fixture(scope="module")
async def served(anyio_backend: str) -> AsyncIterator[Served]:
    """No longer than a module: a process runs one flow engine at a time, and other tests run theirs."""
    with tempfile.TemporaryDirectory(prefix="tiergate-conformance-") as home:
        (Path(home) / "tiergate.toml").write_text(CONFIGURATION + SOURCES)
        settings = load_settings({"TIERGATE_HOME": home, "WEBHOOK_SECRET": WEBHOOK_SECRET}, Path(home))
        application = build(settings)
        life = Lifespan(application)
        await life.start()
        yield Served(application, settings)
        await life.stop()
