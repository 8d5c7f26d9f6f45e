"""Which redirect URIs may be declared, and which are the same: RFC 8252, RFC 9700 §2.1."""

from __future__ import annotations

from typing import Any

import pytest

from governance.consumers import ConsumerError, ScopeCatalogue, load_consumers
from governance.consumers.redirects import same_redirect


def load(**table: Any) -> Any:
    return load_consumers({"app": table}, ScopeCatalogue({}), lambda _: "a secret that is long enough")[0]


@pytest.mark.parametrize(
    "uri",
    [
        "https://shop.example/signed-in",
        "https://shop.example/signed-in?from=gateway",
        "http://127.0.0.1/signed-in",
        "http://[::1]:8123/",
        "com.example.shop:/signed-in",
    ],
)
def test_these_may_be_declared(uri: str) -> None:
    assert load(public=True, redirect_uris=[uri]).redirect_uris == (uri,)


@pytest.mark.rule("RFC 9700 §2.6", "Codes are sent over TLS or to loopback only")
@pytest.mark.rule("RFC 8252 §8.3", "Loopback is written as an address, not as localhost")
@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example/signed-in",
        "http://localhost/signed-in",
        "https://shop.example/#part",
        "https://*.shop.example/",
        "https://user@shop.example/",
        "https:///signed-in",
        "https://shop.example;x/",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://shop.example:port/",
        "/signed-in",
        "shop:/signed-in",
        "javascript:alert(1)",
        "",
    ],
)
def test_these_are_refused(uri: str) -> None:
    with pytest.raises(ConsumerError, match=r"^\[consumers.app\]: the redirect URI"):
        load(public=True, redirect_uris=[uri])


@pytest.mark.rule("RFC 9700 §2.1", "Redirect URIs are compared exactly, except for the port of a loopback address")
@pytest.mark.parametrize(
    ("declared", "asked", "same"),
    [
        ("https://shop.example/in", "https://shop.example/in", True),
        ("https://shop.example/in", "https://shop.example/in/", False),
        ("https://shop.example/in", "https://shop.example/in?x=1", False),
        ("https://shop.example/in", "https://shop.example:443/in", False),
        ("https://shop.example/in", "https://SHOP.example/in", False),
        ("https://shop.example/in", "https://shop.example/../in", False),
        ("https://shop.example/in", "https://shop.example.evil.example/in", False),
        ("http://127.0.0.1/in", "http://127.0.0.1:49152/in", True),
        ("http://127.0.0.1:80/in", "http://127.0.0.1:49152/in", True),
        ("http://[::1]/in", "http://[::1]:1/in", True),
        ("http://127.0.0.1/in", "http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1/in", "http://127.0.0.1:70000/in", False),
        ("http://127.0.0.1/in", "http://127.0.0.1:1@evil.example/in", False),
        ("http://127.0.0.1/in", "http://127.0.0.1.evil.example/in", False),
        ("http://127.0.0.1/in", "http://[::1]/in", False),
        ("http://127.0.0.1/in", "https://127.0.0.1:1/in", False),
    ],
)
def test_what_is_the_same_address(declared: str, asked: str, *, same: bool) -> None:
    assert same_redirect(declared, asked) is same


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"public": True}, "a public client has redirect_uris and no secrets"),
        ({"public": True, "redirect_uris": ["https://a.example/"], "secrets": ["env:S"]}, "and no secrets"),
        (
            {"public": True, "redirect_uris": ["https://a.example/"], "grants": ["client_credentials"]},
            "can be granted authorization_code and refresh_token only",
        ),
        ({"grants": ["authorization_code"]}, "needs redirect_uris"),
        ({"grants": ["password"]}, "Invalid enum value"),
        ({"redirect_uris": ["https://a.example/"] * 11}, "at most 10"),
    ],
)
def test_what_does_not_fit_together_is_refused(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConsumerError, match=sentence):
        load(**table)


def test_the_grants_of_a_client_follow_from_what_it_has() -> None:
    grants = ("client_credentials", "authorization_code", "refresh_token")
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"

    def of(**table: Any) -> list[bool]:
        return [load(**table).may_be_granted(one) for one in (*grants, exchange)]

    assert of(secrets=["env:S"]) == [True, False, False, False]
    assert of(secrets=["env:S"], redirect_uris=["https://a.example/"]) == [True, True, True, False]
    assert of(public=True, redirect_uris=["https://a.example/"]) == [False, True, True, False]
    assert of(secrets=["env:S"], grants=[exchange]) == [False, False, False, True]
