"""What clients of the gateway do: get a token, read, order, follow an order to its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import httpx2

from tests.journeys.gateways import SECRET, Gateway, eventually

PORTAL = "/experience/portal/v1"
ENDED = frozenset({"completed", "rejected", "cancelled"})
DEMO = frozenset({"portal-demo", "portal-demo-2", "partner-demo", "platform-demo", "operations-demo", "system-demo"})
PATIENCE_S = 40.0


class Client:
    """A client with its token; each request goes to the process that serves its tier."""

    def __init__(self, gateway: Gateway, client_id: str, *, at: str | None = None) -> None:
        self._gateway = gateway
        self._at = at
        self.client_id = client_id
        self._http = httpx2.Client(timeout=PATIENCE_S, limits=httpx2.Limits(max_connections=64))
        gateway.at_the_end.callback(self._http.close)
        self.token = self._fetch_token()

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx2.Response:
        """GET."""
        return self._http.get(self._url(path), params=query, headers=self._headers(headers))

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """POST under ``key``, by default one of its own."""
        sent = self._headers({"Idempotency-Key": key or uuid4().hex, **(headers or {})})
        return self._http.post(self._url(path), json=body, headers=sent)

    def put(self, path: str, body: Any) -> httpx2.Response:
        """PUT."""
        return self._http.put(self._url(path), json=body, headers=self._headers(None))

    def options(self, path: str, headers: dict[str, str]) -> httpx2.Response:
        """OPTIONS, without a token."""
        return self._http.options(self._url(path), headers=headers)

    def read(self, path: str, **query: Any) -> Any:
        """The document at a path that is there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def read_all(self, path: str, **query: Any) -> list[Any]:
        """Every item of a list, over all its pages."""
        page = self.read(path, **query)
        items = list(page["items"])
        while page["next_cursor"]:
            page = self.read(path, **query, cursor=page["next_cursor"])
            items += page["items"]
        return items

    def place(self, body: Any, *, key: str | None = None, wait_s: float = 10.0) -> Any:
        """The order that the portal made of ``body``, settled if that takes no longer than ``wait_s``."""
        answer = self.post(f"{PORTAL}/orders", body, key=key, headers={"Prefer": f"wait={wait_s:g}"})
        assert answer.status_code == 202, (answer.status_code, answer.text)
        return answer.json()

    def ended(self, order_id: str, orders: str = f"{PORTAL}/orders") -> Any:
        """The order once it has ended."""

        def look() -> Any:
            order = self.read(f"{orders}/{order_id}")
            return order if order["status"] in ENDED else None

        return eventually(f"order {order_id} ends", look, PATIENCE_S)

    def _url(self, path: str) -> str:
        return (self._at or self._gateway.url(path.split("/")[1])) + path

    def _headers(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **(more or {})}

    def _fetch_token(self) -> str:
        secret = f"{self.client_id}-secret" if self.client_id in DEMO else SECRET
        answer = self._http.post(
            f"{self._at or self._gateway.url()}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, secret),
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def an_order(reference: str, *lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    """The body of an order."""
    return {"reference": reference, "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], **more}


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """Status and type of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.headers["request-id"]
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def steps(entries: Iterable[Any]) -> list[str]:
    """The steps of a timeline that were done."""
    return [entry["step"] for entry in entries if entry["outcome"] == "done"]
