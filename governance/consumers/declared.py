"""``[consumers.<client_id>]`` of tiergate.toml, judged: every mistake is one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from governance.call import ACCOUNT_ID
from governance.consumers.catalogue import ScopeCatalogue
from governance.consumers.consumer import Consumer
from governance.consumers.errors import ConsumerError
from governance.consumers.redirects import check_redirect_uri
from governance.consumers.roles import Role
from governance.consumers.secrets import PREFIX, Secret

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_SECRETS = 2
LEAST_SECRET = 16

ResolveSecret = Callable[[str], str]
"""Gives what ``env:NAME`` or ``file:PATH`` stands for; raises ``ConsumerError`` or ``ValueError``."""


GrantType = Literal[
    "client_credentials", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"
]
MOST_REDIRECTS = 10


class DeclaredConsumer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table as it is written."""

    name: str = ""
    contact: str = ""
    secrets: tuple[str, ...] = ()
    """``env:NAME``, ``file:PATH`` or ``scrypt:…``; at most two."""
    role: str = ""
    scopes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    account_reach: Literal["own", "subtree", "all"] = "own"
    plan: str = "default"
    audiences: tuple[Literal["system", "process", "experience", "governance"], ...] = ()
    """The tiers at which its tokens may be used; empty for all that its scopes open."""
    origins: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    public: bool = False
    """A browser or native app, which can keep no secret: it signs users in with PKCE only."""
    grants: tuple[GrantType, ...] = ()
    """Empty for those that follow from secrets and redirect URIs; token exchange is always written."""


def load_consumers(
    tables: Mapping[str, Any],
    catalogue: ScopeCatalogue,
    resolve_secret: ResolveSecret,
    *,
    roles: Mapping[str, Role] | None = None,
    plans: frozenset[str] = frozenset({"default"}),
) -> tuple[Consumer, ...]:
    """The consumers that ``tables`` (client id to its decoded table) declare.

    Raises:
        ConsumerError: the first thing that is wrong with each of them, one sentence a line.
    """
    found: list[Consumer] = []
    wrong: list[str] = []
    for client_id, table in tables.items():
        try:
            declared = _decoded(client_id, table)
            found.append(_consumer(client_id, declared, catalogue, resolve_secret, roles or {}, plans))
        except ConsumerError as error:
            wrong.append(str(error))
    if wrong:
        raise ConsumerError("\n".join(wrong))
    return tuple(found)


def _decoded(client_id: str, table: Any) -> DeclaredConsumer:
    if not CLIENT_ID.fullmatch(client_id):
        raise ConsumerError(f"[consumers.{client_id}]: a client id has up to 64 letters, digits, dots and dashes.")
    try:
        return msgspec.convert(table, DeclaredConsumer)
    except msgspec.ValidationError as error:
        raise ConsumerError(f"[consumers.{client_id}]: {error}.") from error


def _consumer(
    client_id: str,
    declared: DeclaredConsumer,
    catalogue: ScopeCatalogue,
    resolve_secret: ResolveSecret,
    roles: Mapping[str, Role],
    plans: frozenset[str],
) -> Consumer:
    where = f"[consumers.{client_id}]"
    if declared.plan not in plans:
        raise ConsumerError(f"{where}: plan {declared.plan!r} does not exist; there are {', '.join(sorted(plans))}.")
    for origin in declared.origins:
        _check_origin(where, origin)
    _check_sign_in(where, declared)
    for account in declared.accounts:
        if not re.fullmatch(ACCOUNT_ID, account):
            raise ConsumerError(f"{where}: {account!r} is no account id: letters, digits, dots, dashes, up to 40.")
    return Consumer(
        client_id=client_id,
        name=declared.name or client_id,
        contact=declared.contact,
        secrets=_secrets(where, declared.secrets, resolve_secret),
        scopes=_scopes(where, declared, catalogue, roles),
        accounts=declared.accounts,
        account_reach=declared.account_reach,
        plan=declared.plan,
        audiences=frozenset(declared.audiences),
        origins=declared.origins,
        redirect_uris=declared.redirect_uris,
        public=declared.public,
        grants=declared.grants,
    )


def _scopes(
    where: str, declared: DeclaredConsumer, catalogue: ScopeCatalogue, roles: Mapping[str, Role]
) -> frozenset[str]:
    written, selected = frozenset(declared.scopes), frozenset[str]()
    if declared.role:
        if declared.role not in roles:
            raise ConsumerError(f"{where}: role {declared.role!r} does not exist; write it, or scopes.")
        selected = roles[declared.role].resolve(catalogue)
    unknown = sorted((written | selected) - catalogue.keys())
    if unknown:
        raise ConsumerError(f"{where}: no operation demands the scope {unknown[0]!r}; see `tiergate apis`.")
    audiences = frozenset(declared.audiences)
    if not audiences:
        return written | selected
    for scope in sorted(written):
        if not catalogue[scope] & audiences:
            raise ConsumerError(f"{where}: the scope {scope!r} opens none of its audiences; remove it, or add one.")
    return written | frozenset(scope for scope in selected if catalogue[scope] & audiences)


def _secrets(where: str, references: tuple[str, ...], resolve_secret: ResolveSecret) -> tuple[Secret, ...]:
    if len(references) > MOST_SECRETS:
        raise ConsumerError(f"{where}: at most {MOST_SECRETS} secrets are valid at once; remove the oldest.")
    return tuple(_secret(where, reference, resolve_secret) for reference in references)


def _secret(where: str, reference: str, resolve_secret: ResolveSecret) -> Secret:
    if reference.startswith(PREFIX):
        return Secret.hashed(reference)
    if not reference.startswith(("env:", "file:")):
        raise ConsumerError(f"{where}: a secret is never written here; write env:NAME, file:PATH or its scrypt hash.")
    try:
        secret = resolve_secret(reference)
    except (ValueError, OSError) as error:
        raise ConsumerError(f"{where}: {reference} can't be read: {error}") from error
    if len(secret) < LEAST_SECRET:
        raise ConsumerError(f"{where}: the secret in {reference} is shorter than {LEAST_SECRET} characters.")
    return Secret.known(secret)


def _check_origin(where: str, origin: str) -> None:
    parts = urlsplit(origin)
    plain = origin == f"{parts.scheme}://{parts.netloc}".lower() and "@" not in origin
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ConsumerError(f"{where}: {origin!r} is no origin; write it such as https://shop.example, without a path.")


def _check_sign_in(where: str, declared: DeclaredConsumer) -> None:
    if len(declared.redirect_uris) > MOST_REDIRECTS:
        raise ConsumerError(f"{where}: at most {MOST_REDIRECTS} redirect URIs.")
    for uri in declared.redirect_uris:
        check_redirect_uri(where, uri)
    if "authorization_code" in declared.grants and not declared.redirect_uris:
        raise ConsumerError(f"{where}: authorization_code needs redirect_uris, where users are sent back to.")
    if declared.public and (declared.secrets or not declared.redirect_uris):
        raise ConsumerError(f"{where}: a public client has redirect_uris and no secrets.")
    if declared.public and not frozenset(declared.grants) <= {"authorization_code", "refresh_token"}:
        raise ConsumerError(f"{where}: a public client can be granted authorization_code and refresh_token only.")
