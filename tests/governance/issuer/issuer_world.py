"""An embedded issuer with its clients, users and database, and requests to its endpoints."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode, urlsafe_b64encode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from governance.call import Answer, ManualClock
from governance.consumers import Consumer, Consumers, ScopeCatalogue, Secret, hash_secret
from governance.database import Database
from governance.identity import TokenVerifier
from governance.issuer import EmbeddedIssuer, KeyRing, TokenRequest, Users
from governance.issuer.client import EXCHANGE
from governance.issuer.sign_in import PageRequest
from governance.issuer.users import User

PUBLIC_URL = "https://gw.example"
SECRET = "correct horse battery"
PASSWORD = "a password of Ada's"
REDIRECT = "https://shop.example/in"
VERIFIER = "verifier-" + "x" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

NEXT_SECRET = hash_secret("the secret to come")
CATALOGUE = ScopeCatalogue(
    {
        "portal.orders:read": {"experience"},
        "portal.orders:write": {"experience"},
        "catalogue.products:read": {"process"},
        "erp.products:read": {"system"},
        "governance:read": {"governance"},
    }
)
PORTAL = frozenset({"portal.orders:read", "portal.orders:write", "catalogue.products:read"})
CLIENTS = (
    Consumer(
        client_id="shop",
        name="Shop",
        secrets=(Secret.known(SECRET), Secret.hashed(NEXT_SECRET)),
        scopes=PORTAL,
        accounts=("ACME",),
        account_reach="subtree",
    ),
    Consumer(client_id="bare", name="Bare", secrets=(Secret.known(SECRET),)),
    Consumer(
        client_id="app",
        name="Orders <app>",
        scopes=PORTAL,
        redirect_uris=(REDIRECT, "http://127.0.0.1/in", "http://[::1]/in", "com.example.app:/in"),
        public=True,
    ),
    Consumer(
        client_id="web",
        name="Web shop",
        secrets=(Secret.known(SECRET),),
        scopes=PORTAL,
        redirect_uris=(REDIRECT,),
    ),
    Consumer(
        client_id="service",
        name="Service",
        secrets=(Secret.known(SECRET),),
        scopes=frozenset({"portal.orders:read", "catalogue.products:read", "erp.products:read"}),
        grants=(EXCHANGE, "client_credentials"),
    ),
    Consumer(client_id="watch", name="Watch", secrets=(Secret.known(SECRET),), scopes=frozenset({"governance:read"})),
)
ADA = User(
    username="ada",
    name="Ada",
    password=Secret.known(PASSWORD),
    scopes=frozenset({"portal.orders:read", "portal.orders:write", "erp.products:read"}),
    accounts=("ACME",),
)


class Process:
    """One process of the gateway: the issuer and what stands around it."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.database = Database(home)
        self.keys = KeyRing(home / "issuer.json", clock)
        self.consumers = Consumers(CLIENTS)
        self.users = Users([ADA])
        self.issuer = EmbeddedIssuer(
            PUBLIC_URL,
            self.keys,
            self.consumers,
            CATALOGUE,
            clock,
            users=self.users,
            database=self.database,
            form_key=b"shared by all processes",
        )
        self.verifier = TokenVerifier([self.issuer.trusted()], PUBLIC_URL, clock)
        self.issuer.revocations.changed.append(self.verifier.forget)
        asyncio.run(self.database.start())

    def close(self) -> None:
        asyncio.run(self.database.stop())

    # The token, introspection and revocation endpoints

    def ask(self, form: Any, *headers: tuple[str, str], query: str = "", to: str = "token") -> Answer:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        given = {name for name, _ in headers}
        kind = () if "content-type" in given else (("content-type", "application/x-www-form-urlencoded"),)
        request = TokenRequest(headers=(*kind, *headers), body=body, query=query, peer="::1")
        return asyncio.run(getattr(self.issuer, to)(request))

    def answered(self, client_id: str, form: dict[str, str], *, to: str = "token") -> tuple[int, dict[str, Any]]:
        """Status and members; ``app`` has no secret and says its name."""
        headers = () if client_id == "app" else (basic(client_id, SECRET),)
        named = {"client_id": "app"} if client_id == "app" else {}
        answer = self.ask({**form, **named}, *headers, to=to)
        return answer.status, msgspec.json.decode(answer.body)

    def granted(self, client_id: str = "shop", **form: str) -> dict[str, Any]:
        status, members = self.answered(client_id, {"grant_type": "client_credentials", **form})
        assert status == 200, members
        return members

    def redeem(self, code: str, client_id: str = "app", **more: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.answered(client_id, {name: value for name, value in {**form, **more}.items() if value})

    def refresh(self, token: str, client_id: str = "app", **more: str) -> tuple[int, dict[str, Any]]:
        return self.answered(client_id, {"grant_type": "refresh_token", "refresh_token": token, **more})

    def introspect(self, token: str, client_id: str = "web", **more: str) -> dict[str, Any]:
        status, members = self.answered(client_id, {"token": token, **more}, to="introspect")
        assert status == 200, members
        return members

    def revoke(self, token: str, client_id: str = "app", **more: str) -> tuple[int, dict[str, Any]]:
        return self.answered(client_id, {"token": token, **more}, to="revoke")

    def principal(self, token: str, tier: str = "experience") -> Any:
        return asyncio.run(self.verifier.verify(token.encode(), tier)).principal

    # The sign-in page

    def show(self, query: str, cookie: str = "") -> Answer:
        return asyncio.run(self.issuer.sign_in.show(PageRequest(query=query, cookie=cookie, peer="::1")))

    def post(self, fields: dict[str, str], cookie: str, peer: str = "::1") -> Answer:
        request = PageRequest(
            body=urlencode(fields).encode(), cookie=cookie, content_type="application/x-www-form-urlencoded", peer=peer
        )
        return asyncio.run(self.issuer.sign_in.decide(request))

    def form(self, **changes: str | None) -> tuple[dict[str, str], str]:
        """The hidden fields of the form, and the browser's cookie."""
        answer = self.show(asking(**changes))
        assert answer.status == 200, answer.body
        cookie = dict(answer.headers)[b"set-cookie"].decode().split(";")[0]
        return Page(answer.body).hidden, cookie

    def sign_in(self, password: str = PASSWORD, username: str = "ada", **changes: str | None) -> Answer:
        hidden, cookie = self.form(**changes)
        return self.post({**hidden, "username": username, "password": password, "decision": "allow"}, cookie)

    def code(self, **changes: str | None) -> str:
        return sent(self.sign_in(PASSWORD, "ada", **changes))[1]["code"]

    def signed_in(self, client_id: str = "app", **changes: str | None) -> dict[str, Any]:
        """The first tokens after a user signed in."""
        status, members = self.redeem(self.code(client_id=client_id, **changes), client_id)
        assert status == 200, members
        return members


class World(Process):
    """The first process, and others over the same home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._others: list[Process] = []
        super().__init__(home, ManualClock())

    def another(self) -> Process:
        self._others.append(Process(self.home, self.clock))
        return self._others[-1]

    def close(self) -> None:
        for one in (*self._others, super()):
            one.close()


class Page(HTMLParser):
    """What a test looks at on a page."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(body.decode())
        self.hidden = {
            str(one["name"]): str(one["value"])
            for element, one in self.elements
            if element == "input" and one.get("type") == "hidden"
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, element: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == element]


def asking(**changes: str | None) -> str:
    """The query of an authorization request that is in order, with changes; None leaves out."""
    fields = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": REDIRECT,
        "scope": "portal.orders:read",
        "state": "s t&=",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return urlencode({name: value for name, value in fields.items() if value is not None})


def sent(answer: Answer) -> tuple[str, dict[str, str]]:
    """Where a browser is sent to, without and with its query."""
    assert answer.status == 303, (answer.status, answer.body)
    location = dict(answer.headers)[b"location"].decode()
    return location.split("?")[0], {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}


def basic(client_id: str, secret: str) -> tuple[str, str]:
    return "authorization", "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()
