"""The sections of tiergate.toml as frozen Structs, each with its bounds and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from gateway.settings.chaos import Chaos
from gateway.settings.secrets import Secret
from governance.wire.peer import ForwardedHeader, TrustedProxies

Tier = Literal["system", "process", "experience"]
TIERS: tuple[Tier, ...] = ("system", "process", "experience")
CALLEE: Mapping[Tier, Tier] = {"experience": "process", "process": "system"}
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ANY_ADDRESS: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, never bound
"""What means every address of the machine, and the one of them to reach it at from here."""

Host = Annotated[
    str, Meta(min_length=1, pattern=r"^[^\s/]+$", description="an address to listen on, such as 127.0.0.1")
]
Port = Annotated[int, Meta(ge=0, le=65535, description="a port from 1 to 65535, or 0 for a free one")]
BaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^/?#\s@]+)?$",
        description='a base URL with neither path nor slash at its end, such as "http://127.0.0.1:8001"',
    ),
]
StoreUrl = Annotated[
    str,
    Meta(
        pattern=r"^((rediss?|unix)://\S+|/\S+)?$", description='a Redis or Valkey URL, such as "redis://store:6379/0"'
    ),
]
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^((postgresql(\+psycopg)?|sqlite)://\S*)?$",
        description='a database URL, such as "postgresql://tiergate@db/tiergate"',
    ),
]
Workers = Annotated[int, Meta(ge=1, le=64, description="a number of processes from 1 to 64")]
TierList = Annotated[
    tuple[Tier, ...], Meta(min_length=1, description='a list of tiers out of "system", "process" and "experience"')
]
BodyBytes = Annotated[int, Meta(ge=1024, le=104_857_600, description="a number of bytes from 1024 to 104857600")]
UriBytes = Annotated[int, Meta(ge=256, le=65_536, description="a number of bytes from 256 to 65536")]
Seconds = Annotated[float, Meta(ge=0.1, le=600, description="a number of seconds from 0.1 to 600")]
InFlight = Annotated[int, Meta(ge=1, le=100_000, description="a number of requests from 1 to 100000")]
SECURE = r"(https://[^\s?#@/]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?)(/[^\s?#@]*)?"
SecureUrl = Annotated[
    str, Meta(pattern=f"^{SECURE}$", description="an https URL (http on this machine only), such as https://id.example")
]
OptionalSecureUrl = Annotated[
    str, Meta(pattern=f"^({SECURE})?$", description="an https URL (http on this machine only), or empty")
]
SignatureAlgorithm = Literal[
    "Ed25519", "EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"
]
ClaimName = Annotated[str, Meta(min_length=1, max_length=200, description="the name of a claim")]
TokenLifetime = Annotated[int, Meta(ge=60, le=86_400, description="a number of seconds from 60 to 86400")]
Ratio = Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")]


class Gateway(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[gateway]``: where this process listens, which tiers it serves, what it takes in."""

    host: Host = "127.0.0.1"
    port: Port = 8000
    public_url: BaseUrl = ""
    """What clients call the gateway, without a slash at the end; empty for host and port."""
    workers: Workers = 1
    tiers: TierList = TIERS
    local_binding: Literal["direct", "verify"] = "direct"
    """``verify`` encodes and decodes every local call, as a remote one would."""
    max_body_bytes: BodyBytes = 1_048_576
    max_uri_bytes: UriBytes = 8_192
    header_timeout_s: Seconds = 10.0
    body_timeout_s: Seconds = 15.0
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of one's own proxies, which are believed when they say who called them; empty for none."""
    forwarded_header: ForwardedHeader = "x-forwarded-for"
    """The one header in which they say it."""
    most_in_flight: InFlight = 1_000
    """Requests under way in one process above which new ones are answered 503 at once."""
    most_lag_s: Seconds = 0.5
    """How late a busy process's event loop may be before new requests are answered 503 at once."""
    drain_s: Seconds = 20.0
    """How long requests may take to finish after SIGTERM."""
    reload_on_change: bool = True
    """Take a changed tiergate.toml, or a changed file of a secret, over within two seconds; SIGHUP always does."""


class Placement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[placement]``: base URL of the process that serves a tier which is not served here."""

    system: BaseUrl = ""
    process: BaseUrl = ""
    experience: BaseUrl = ""


class Store(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[store]``: limits, idempotency, cache."""

    url: StoreUrl = ""
    """Empty for the embedded Valkey."""


class Database(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[database]``: durable state of flows, events and audit."""

    url: DatabaseUrl = ""
    """Empty for SQLite in the home folder."""


class Issuer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[issuer]``: the embedded issuer of access tokens."""

    embedded: bool | None = None
    """Left out: on exactly when no ``[[issuers]]`` are given."""
    demo_clients: bool | None = None
    """Left out: on exactly when the embedded issuer listens on loopback only."""
    access_token_lifetime_s: TokenLifetime = 3_600


class ExternalIssuer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[issuers]]``: an OpenID provider whose access tokens are accepted."""

    issuer: SecureUrl
    """Exactly as its tokens say it."""
    jwks_url: OptionalSecureUrl = ""
    """Empty: found in the issuer's metadata."""
    audience: str = ""
    """One audience that opens every tier. Empty: ``{public_url}/{tier}``, or what ``audiences`` says."""
    audiences: Mapping[str, tuple[str, ...]] = {}
    """Tier to the audiences that open it; an empty list closes it to this issuer."""
    algorithms: Annotated[tuple[SignatureAlgorithm, ...], Meta(min_length=1)] = ("Ed25519", "EdDSA", "ES256", "RS256")
    token_type: Literal["at+jwt", "JWT"] = "at+jwt"  # noqa: S105 - a media type
    """``JWT`` for providers that do not type their access tokens (RFC 9068 §2.1); their claims are looked at instead."""
    account_claim: ClaimName = "accounts"
    reach_claim: ClaimName = "account_reach"
    client_claim: ClaimName = "client_id"
    scope_claim: ClaimName = "scope"
    leeway_s: Annotated[float, Meta(ge=0, le=120, description="a number of seconds from 0 to 120")] = 10.0
    keys_fresh_s: Annotated[float, Meta(ge=10, le=86_400, description="a number of seconds from 10 to 86400")] = 600.0
    keys_stale_s: Annotated[float, Meta(ge=0, le=604_800, description="a number of seconds from 0 to 604800")] = (
        86_400.0
    )
    """How long its last keys serve while it does not answer; then its tokens are answered 503."""
    keys_cooldown_s: Annotated[float, Meta(ge=1, le=600, description="a number of seconds from 1 to 600")] = 30.0
    """Least time between two fetches that an unknown key or a failure causes."""
    introspection: Literal["off", "opaque", "always"] = "off"
    """Ask about tokens that are no JWT (the first issuer that has this is asked), or about its every token, each call."""
    introspection_url: OptionalSecureUrl = ""
    """Empty: found in the issuer's metadata."""
    introspection_client_id: str = ""
    introspection_client_secret: str = ""
    """``env:NAME`` or ``file:PATH``."""

    def contradictions(self) -> list[str]:
        """Sentences about what does not fit together in it."""
        found: list[str] = []
        if self.audience and self.audiences:
            found.append("has both audience and audiences: write one of them.")
        if not self.audiences.keys() <= set(TIERS):
            found.append("has audiences of what is no tier: name system, process or experience.")
        if self.introspection != "off" and not (self.introspection_client_id and self.introspection_client_secret):
            found.append("asks by introspection and needs introspection_client_id and introspection_client_secret.")
        return found


class System(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[systems.<api>]``: the connector behind a system API and the settings of that connector."""

    connector: str = ""
    """The name of a connector's folder; empty for the embedded one, or for the only one there is."""
    settings: Mapping[str, Any] = {}
    egress: Mapping[str, Any] = {}
    """How that system is called, read by governance/egress."""


class Telemetry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[telemetry]``: where logs and spans go."""

    service_name: Annotated[str, Meta(min_length=1, description="a name")] = "tiergate"
    log: Literal["file", "stderr"] = "file"
    """``file``: log/gateway.log in the home folder."""
    otlp_endpoint: Annotated[str, Meta(pattern=r"^(https?://\S+)?$", description="an http or https URL")] = ""
    sample_ratio: Ratio = 0.01


class Shown(NamedTuple):
    """One effective setting: key path, value as text (secrets as ``***``), and who said so."""

    key: str
    value: str
    source: str


class Sections(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that tiergate.toml can hold."""

    gateway: Gateway = Gateway()
    placement: Placement = Placement()
    store: Store = Store()
    database: Database = Database()
    issuer: Issuer = Issuer()
    issuers: tuple[ExternalIssuer, ...] = ()
    consumers: Mapping[str, Mapping[str, Any]] = {}
    """Client id to its table, read by governance/consumers."""
    users: Mapping[str, Mapping[str, Any]] = {}
    """Name to the table of a person who signs in at the embedded issuer, read by governance/issuer."""
    roles: Mapping[str, Mapping[str, Any]] = {}
    """Role name to the scopes that it selects, read by governance/consumers."""
    plans: Mapping[str, Mapping[str, Any]] = {}
    """Plan name to its rates and quotas, read by gateway/composition/plans.py."""
    grants: Mapping[str, tuple[str, ...]] = {}
    """API id to the operation ids that it may call: narrows its ``needs``."""
    policies: Mapping[str, Mapping[str, Any]] = {}
    """Policy name to its table, read by the policy's own Settings."""
    systems: Mapping[str, System] = {}
    processes: Mapping[str, Mapping[str, Any]] = {}
    """Process API to the company's rules about it, read by the process's own settings."""
    egress: Mapping[str, Any] = {}
    """What all ways out share, read by governance/egress."""
    flows: Mapping[str, Any] = {}
    """How flows are worked on and kept, read by process_apis/flow."""
    telemetry: Telemetry = Telemetry()
    chaos: Chaos = Chaos()


class Settings(Sections, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that configures a gateway process."""

    home: Path
    """The folder of all local state, absolute."""
    config: Path | None = None
    """The tiergate.toml that was read, if any."""
    secrets: Mapping[str, Secret] = {}
    """``env:NAME`` or ``file:PATH`` to what it holds, for every one in the file."""
    shown: tuple[Shown, ...] = ()

    @property
    def file_name(self) -> str:
        """How messages name the configuration file."""
        return self.config.name if self.config else "tiergate.toml"

    @property
    def public_url(self) -> str:
        """The base URL of the gateway as its clients know it, without a slash at the end."""
        return self.gateway.public_url or self.local_url

    @property
    def local_url(self) -> str:
        """The base URL at which this process is reached from this machine."""
        host = ANY_ADDRESS.get(self.gateway.host, self.gateway.host)
        return f"http://[{host}]:{self.gateway.port}" if ":" in host else f"http://{host}:{self.gateway.port}"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        return self.gateway.host in LOOPBACK

    @property
    def embedded_issuer(self) -> bool:
        """Whether this gateway issues tokens itself."""
        return not self.issuers if self.issuer.embedded is None else self.issuer.embedded

    @property
    def demo_clients(self) -> bool:
        """Whether portal-demo and its companions exist."""
        if self.issuer.demo_clients is None:
            return self.embedded_issuer and self.on_loopback
        return self.issuer.demo_clients

    def remote_url(self, tier: Tier) -> str:
        """Base URL of the process that serves ``tier``; empty where it is served here or nowhere."""
        placed: dict[Tier, str] = {
            "system": self.placement.system,
            "process": self.placement.process,
            "experience": self.placement.experience,
        }
        return "" if tier in self.gateway.tiers else placed[tier]

    def secret(self, reference: str) -> str:
        """What ``env:NAME`` or ``file:PATH``, as it stands in tiergate.toml, holds.

        Raises:
            ValueError: it does not stand there.
        """
        if reference not in self.secrets:
            raise ValueError(f"{reference} does not stand in tiergate.toml")
        return self.secrets[reference]

    def show(self) -> tuple[Shown, ...]:
        """Every effective setting with its source, secrets as ``***``."""
        return self.shown

    def contradictions(self) -> list[tuple[str, str]]:
        """Pairs of key path and sentence about sections that don't fit together."""
        found: list[tuple[str, str]] = []
        for tier in self.gateway.tiers:
            callee = CALLEE.get(tier)
            if callee and callee not in self.gateway.tiers and not self.remote_url(callee):
                found.append((
                    f"placement.{callee}",
                    f"is missing: the {tier} tier is served here and calls the {callee} tier, which is not; "
                    "give the base URL of the process that serves it.",
                ))  # fmt: skip
        try:
            TrustedProxies(self.gateway.trusted_proxies)
        except ValueError as error:
            found.append(("gateway.trusted_proxies", f"has a mistake: {error}."))
        served = self.gateway.tiers
        if "experience" in served and "process" not in served and "system" not in served and not self.placement.system:
            found.append((
                "placement.system",
                "is missing: the experience tier is served here and asks CRM, in the system tier, which accounts "
                "belong together; give the base URL of the process that serves it.",
            ))  # fmt: skip
        if self.issuer.demo_clients and not (self.embedded_issuer and self.on_loopback):
            found.append((
                "issuer.demo_clients",
                "must be false: demo clients, whose secrets everybody knows, exist only with the embedded issuer "
                "on a loopback address.",
            ))  # fmt: skip
        if not self.embedded_issuer and not self.issuers:
            found.append(("issuer.embedded", "is false and there are no [[issuers]]: nobody could get a token."))
        for at, one in enumerate(self.issuers):
            found += [(f"issuers[{at}]", sentence) for sentence in one.contradictions()]
        found += self.chaos.contradictions(
            self.home,
            on_loopback=self.on_loopback,
            embedded_issuer=self.embedded_issuer,
            connectors=[system.connector for system in self.systems.values()],
        )
        names = [one.issuer for one in self.issuers]
        if len(set(names)) < len(names):
            found.append(("issuers", "name one issuer twice: which of the two says what its tokens need?"))
        return found
