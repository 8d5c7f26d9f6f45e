"""Identity: who issues tokens, whom they are believed from, and who the clients are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from msgspec import Struct

from gateway.composition.consumers import consumers_of
from gateway.settings import Settings
from governance.call import Clock
from governance.consumers import Consumers, ScopeCatalogue
from governance.contract import CursorCodec, Operation
from governance.identity import HopTokens, KeyFile, RemoteKeys, TokenVerifier, TrustedIssuer
from governance.issuer import EmbeddedIssuer, ProtectedResources


class Identities(Struct, frozen=True, kw_only=True):
    """Everything about who calls."""

    catalogue: ScopeCatalogue
    consumers: Consumers
    issuer: EmbeddedIssuer | None
    resources: ProtectedResources
    hop_tokens: HopTokens
    verifier: TokenVerifier
    cursors: CursorCodec


def identities(settings: Settings, operations: Iterable[Operation], clock: Clock) -> Identities:
    """The identities of a gateway with these operations.

    Raises:
        ConsumerError: ``[consumers]`` or the demo clients can't be used.
        KeyFileError: a key file in the home can't be used.
    """
    operations = tuple(operations)
    catalogue = ScopeCatalogue.of(operations)
    consumers = consumers_of(settings, operations, catalogue)
    keys = settings.home / "keys"
    hop_keys = KeyFile(keys / "hop.json").load_or_create()
    hop_tokens = HopTokens(hop_keys, clock)
    trusted = [hop_tokens.trusted(settings.public_url), *_external(settings, clock)]
    issuer = None
    if settings.embedded_issuer:
        issuer = EmbeddedIssuer(
            settings.public_url,
            KeyFile(keys / "issuer.json").load_or_create(),
            consumers,
            catalogue,
            clock,
            lifetime_s=settings.issuer.access_token_lifetime_s,
        )
        trusted.append(issuer.trusted())
    names = [issuer.issuer] if issuer else []
    secret = hmac.digest(str(hop_keys[0].as_dict(private=True)["d"]).encode(), b"tiergate cursors", hashlib.sha256)
    return Identities(
        catalogue=catalogue,
        consumers=consumers,
        issuer=issuer,
        resources=ProtectedResources(
            settings.public_url, [*names, *(one.issuer for one in settings.issuers)], catalogue
        ),
        hop_tokens=hop_tokens,
        verifier=TokenVerifier(trusted, settings.public_url, clock),
        cursors=CursorCodec(secret),
    )


def _external(settings: Settings, clock: Clock) -> list[TrustedIssuer]:
    return [
        TrustedIssuer(
            issuer=one.issuer,
            keys=RemoteKeys(one.issuer, clock, jwks_url=one.jwks_url),
            audiences=dict.fromkeys(settings.gateway.tiers, (one.audience,)) if one.audience else {},
        )
        for one in settings.issuers
    ]
