"""A client's visit to the gateway: requests over HTTP and, for the telling, the hops that each took."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from gateway.cli.failure import Failure

TIMEOUT_S = 30.0


class Hop(Struct, frozen=True, kw_only=True):
    """One call of one operation behind a request, as /governance/hops tells it."""

    tier: str
    operation: str
    binding: str
    caller: str
    outcome: str
    duration_ms: float
    chain: tuple[str, ...]
    """The policies that stood in front, ``stage:name``, outermost first."""

    @property
    def policies(self) -> tuple[str, ...]:
        """The names of those policies."""
        return tuple(link.rpartition(":")[2].replace("_", " ") for link in self.chain)


class Exchange(Struct, frozen=True, kw_only=True):
    """One request and what came back."""

    line: str
    """Method and path."""
    status: int
    body: Any
    headers: dict[str, str]
    took_ms: float
    hops: tuple[Hop, ...]

    @property
    def request_id(self) -> str:
        """The id under which the gateway knows the request, and all work that it set off."""
        return self.headers.get("request-id", "")


class Visit:
    """Requests of one client to one gateway.

    ``others`` are the base URLs of processes that serve further tiers: only asked for their hops.
    """

    def __init__(self, base_url: str, token: str, others: Iterable[str] = ()) -> None:
        self._client = httpx2.Client(base_url=base_url, timeout=TIMEOUT_S)
        self._witnesses = (base_url, *others)
        self._authorization = {"Authorization": f"Bearer {token}"}

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, *, expect: int = 200) -> Exchange:
        """Read ``path``."""
        return self._send("GET", path, expect, {}, None)

    def post(self, path: str, body: dict[str, Any], key: str, *, expect: int) -> Exchange:
        """Send ``body`` with an idempotency key."""
        return self._send("POST", path, expect, {"Idempotency-Key": key}, body)

    def _send(self, method: str, path: str, expect: int, headers: dict[str, str], body: Any) -> Exchange:
        began = time.perf_counter()
        try:
            answer = self._client.request(method, path, headers={**self._authorization, **headers}, json=body)
        except httpx2.HTTPError as error:
            raise Failure(f"The gateway did not answer {method} {path}: {error}.") from None
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status_code != expect:
            raise Failure(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        return Exchange(
            line=f"{method} {path}",
            status=answer.status_code,
            body=answer.json(),
            headers=dict(answer.headers),
            took_ms=took_ms,
            hops=self.hops(answer.headers.get("request-id", "")),
        )

    def hops(self, request_id: str) -> tuple[Hop, ...]:
        """What was called so far under this request id, process by process in the order in which it began."""
        return tuple(hop for base_url in self._witnesses for hop in self._hops_at(base_url, request_id))

    def _hops_at(self, base_url: str, request_id: str) -> tuple[Hop, ...]:
        answer = self._client.get(f"{base_url}/governance/hops/{request_id}")
        return msgspec.convert(answer.json()["hops"], tuple[Hop, ...]) if answer.status_code == 200 else ()
