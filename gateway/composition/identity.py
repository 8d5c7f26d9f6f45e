"""Identity: who issues tokens, whom they are believed from, and who the clients are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from joserfc.jwk import OKPKey
from msgspec import Struct

from gateway.composition.consumers import consumers_of
from gateway.composition.users import users_of
from gateway.settings import ExternalIssuer, Settings
from governance.call import Clock
from governance.consumers import Consumers, ScopeCatalogue
from governance.contract import CursorCodec, Operation
from governance.database import Database
from governance.identity import (
    Credentials,
    HopTokens,
    Introspection,
    KeyFile,
    KeyTimes,
    RemoteKeys,
    TokenVerifier,
    TrustedIssuer,
)
from governance.issuer import EmbeddedIssuer, KeyRing, ProtectedResources, Users
from process_apis.quote_to_cash.links import QuoteLinks


class Identities(Struct, frozen=True, kw_only=True):
    """Everything about who calls."""

    catalogue: ScopeCatalogue
    consumers: Consumers
    users: Users
    issuer: EmbeddedIssuer | None
    resources: ProtectedResources
    hop_tokens: HopTokens
    verifier: TokenVerifier
    cursors: CursorCodec
    quote_links: QuoteLinks


def identities(settings: Settings, operations: Iterable[Operation], database: Database, clock: Clock) -> Identities:
    """The identities of a gateway with these operations.

    Raises:
        ConsumerError: ``[consumers]`` or the demo clients can't be used.
        KeyFileError: a key file in the home can't be used.
    """
    operations = tuple(operations)
    catalogue = ScopeCatalogue.of(one for one in operations if not one.inbound)
    consumers, users = consumers_of(settings, operations, catalogue), users_of(settings, catalogue)
    keys = settings.home / "keys"
    hop_keys = KeyFile(keys / "hop.json").load_or_create()
    hop_tokens = HopTokens(hop_keys, clock)
    trusted = [hop_tokens.trusted(settings.public_url), *external_issuers(settings, clock)]
    issuer = None
    if settings.embedded_issuer:
        issuer = EmbeddedIssuer(
            settings.public_url,
            KeyRing(keys / "issuer.json", clock),
            consumers,
            catalogue,
            clock,
            users=users,
            database=database,
            form_key=_derived(hop_keys, b"tiergate sign-in"),
            lifetime_s=settings.issuer.access_token_lifetime_s,
        )
        trusted.append(issuer.trusted())
    names = [issuer.issuer] if issuer else []
    verifier = TokenVerifier(trusted, settings.public_url, clock)
    if issuer is not None:
        issuer.revocations.changed.append(verifier.forget)
    return Identities(
        catalogue=catalogue,
        consumers=consumers,
        users=users,
        issuer=issuer,
        resources=ProtectedResources(
            settings.public_url, [*names, *(one.issuer for one in settings.issuers)], catalogue
        ),
        hop_tokens=hop_tokens,
        verifier=verifier,
        cursors=CursorCodec(_derived(hop_keys, b"tiergate cursors")),
        quote_links=QuoteLinks(_derived(hop_keys, b"tiergate quote links"), f"{settings.public_url}/quotes"),
    )


def _derived(keys: Sequence[OKPKey], purpose: bytes) -> bytes:
    """A secret of its own for one purpose, the same in every process that shares the keys."""
    return hmac.digest(str(keys[0].as_dict(private=True)["d"]).encode(), purpose, hashlib.sha256)


def external_issuers(settings: Settings, clock: Clock) -> list[TrustedIssuer]:
    """What each ``[[issuers]]`` makes the gateway trust."""
    return [
        TrustedIssuer(
            issuer=one.issuer,
            keys=RemoteKeys(one.issuer, clock, jwks_url=one.jwks_url, times=_key_times(one)),
            algorithms=one.algorithms,
            token_type=one.token_type.lower(),
            audiences=dict.fromkeys(settings.gateway.tiers, (one.audience,)) if one.audience else one.audiences,
            account_claim=one.account_claim,
            reach_claim=one.reach_claim,
            client_claim=one.client_claim,
            scope_claim=one.scope_claim,
            leeway_s=one.leeway_s,
            introspection=_introspection(one),
        )
        for one in settings.issuers
    ]


def _key_times(one: ExternalIssuer) -> KeyTimes:
    return KeyTimes(fresh_s=one.keys_fresh_s, serve_stale_s=one.keys_stale_s, cooldown_s=one.keys_cooldown_s)


def _introspection(one: ExternalIssuer) -> Introspection | None:
    if one.introspection == "off":
        return None
    credentials = Credentials(one.introspection_client_id, one.introspection_client_secret)
    return Introspection(one.issuer, credentials, one.introspection, url=one.introspection_url)
