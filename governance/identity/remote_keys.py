"""The keys of an issuer elsewhere, by the address of its JWK Set or by discovery.

Guarantees: one fetch at a time however many wait; an unknown ``kid`` causes at most one fetch per
cooldown; rotation needs no restart. While the issuer is away the last keys serve for
``serve_stale_s``, then ``KeysUnavailable`` is raised: never an open door.

Standards: RFC 7517 §5 (JWK Set), RFC 8414 §3 and OpenID Connect Discovery 1.0 §4 (metadata; the
``issuer`` in it must be the one that was asked).
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from msgspec import Struct

from governance.call import Clock
from governance.identity.discovery import located
from governance.identity.fetching import DocumentReader, Unreadable
from governance.identity.key_sources import KeysUnavailable, choose

MOST_KEYS = 64


class KeyTimes(Struct, frozen=True, kw_only=True):
    """How long fetched keys count, in seconds."""

    fresh_s: float = 600.0
    """After this the set is fetched again at the next need."""
    serve_stale_s: float = 86_400.0
    """How long the last keys serve while the issuer does not answer."""
    cooldown_s: float = 30.0
    """Least time between two fetches that a failure or an unknown kid causes."""


DEFAULT_TIMES = KeyTimes()


class RemoteKeys:
    """The published keys of ``issuer``; ``jwks_url`` empty means: look it up in the issuer's metadata."""

    def __init__(
        self,
        issuer: str,
        clock: Clock,
        *,
        jwks_url: str = "",
        times: KeyTimes = DEFAULT_TIMES,
        reader: DocumentReader | None = None,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._jwks_url = jwks_url
        self._times = times
        self._reader = reader or DocumentReader()
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key for a token header's ``kid`` and ``alg``, or None where the issuer has no such key.

        Raises:
            KeysUnavailable: the issuer does not answer and no keys, or too old ones, are here.
        """
        if self._age_s() > self._times.fresh_s:
            await self._refresh()
        key = self._chosen(kid, algorithm)
        if key is None and self._age_s() > 0:
            await self._refresh()
            key = self._chosen(kid, algorithm)
            if key is None and self._tried_at > self._fetched_at:
                raise self._unavailable()  # perhaps a new key that could not be fetched: not the caller's fault
        return key

    def _chosen(self, kid: str | None, algorithm: str) -> Key | None:
        if self._age_s() > self._times.serve_stale_s:
            raise self._unavailable()
        return choose(self._keys, kid, algorithm)

    def _age_s(self) -> float:
        return self._clock.monotonic() - self._fetched_at

    def _unavailable(self) -> KeysUnavailable:
        rest_s = self._tried_at + self._times.cooldown_s - self._clock.monotonic()
        return KeysUnavailable(self._issuer, max(1, math.ceil(rest_s)))

    async def _refresh(self) -> None:
        if self._flight is None:
            if self._clock.monotonic() - self._tried_at < self._times.cooldown_s:
                return
            self._tried_at = self._clock.monotonic()
            self._flight = asyncio.create_task(self._fetch())
            self._flight.add_done_callback(self._landed)
        await asyncio.shield(self._flight)  # a caller that gives up does not take the fetch from the others

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _fetch(self) -> None:
        try:
            document = await self._reader.read(await self._located())
            keys = _imported(document)
        except Unreadable:
            return  # the last keys serve on; how long is find's business
        if keys:
            self._keys = keys
            self._fetched_at = self._tried_at = self._clock.monotonic()

    async def _located(self) -> str:
        if not self._jwks_url:
            self._jwks_url = await located(self._issuer, "jwks_uri", self._reader)
        return self._jwks_url


def _imported(document: dict[str, Any]) -> tuple[Key, ...]:
    try:
        entries = msgspec.convert(document.get("keys"), list[Any])
    except msgspec.ValidationError as error:
        raise Unreadable("no JWK Set") from error
    keys: list[Key] = []
    for entry in entries[:MOST_KEYS]:
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            continue  # RFC 7517 §5: keys that are not understood are ignored, the rest of the set counts
    return tuple(keys)
