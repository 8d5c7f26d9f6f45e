"""Identity: who issues tokens, whom they are believed from, and who the clients are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from msgspec import Struct

from gateway.settings import Settings, SettingsError, Tier, read_section
from governance.call import Clock
from governance.consumers import Consumers, Role, ScopeCatalogue, demo_consumers, load_consumers
from governance.consumers.registry import DEFAULT_PLAN
from governance.contract import CursorCodec, Operation
from governance.identity import HopTokens, KeyFile, RemoteKeys, TokenVerifier, TrustedIssuer
from governance.issuer import EmbeddedIssuer, ProtectedResources
from governance.policies.rate_limit import RateLimit


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
    catalogue = ScopeCatalogue.of(operations)
    consumers = _consumers(settings, catalogue)
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


def _consumers(settings: Settings, catalogue: ScopeCatalogue) -> Consumers:
    roles = {
        name: read_section(table, Role, file=settings.file_name, path=f"roles.{name}")
        for name, table in settings.roles.items()
    }
    plans = {name: _plan(settings, name, table) for name, table in settings.plans.items()}
    declared = load_consumers(
        settings.consumers, catalogue, settings.secret, roles=roles, plans=frozenset({DEFAULT_PLAN, *plans})
    )
    demo = ()
    if settings.demo_clients:
        demo = demo_consumers(catalogue, embedded_issuer=settings.embedded_issuer, loopback=settings.on_loopback)
    return Consumers((*declared, *demo), plans)


def _plan(settings: Settings, name: str, table: Mapping[Tier, str]) -> dict[str, RateLimit]:
    limits: dict[str, RateLimit] = {}
    for tier, spelled in table.items():
        try:
            limits[tier] = RateLimit.parse(spelled)
        except ValueError as error:
            raise SettingsError([f"{settings.file_name}: plans.{name}.{tier}: {error}."]) from None
    return limits


def _external(settings: Settings, clock: Clock) -> list[TrustedIssuer]:
    return [
        TrustedIssuer(
            issuer=one.issuer,
            keys=RemoteKeys(one.issuer, clock, jwks_url=one.jwks_url),
            audiences=dict.fromkeys(settings.gateway.tiers, (one.audience,)) if one.audience else {},
        )
        for one in settings.issuers
    ]
