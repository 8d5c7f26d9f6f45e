"""Each kind of token is wrong in exactly its one way."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from governance.call import ManualClock, TokenKind
from governance.prove import ProbeTokens
from governance.prove.prober import BAD_TOKENS
from tests.governance.prove.sample_desk import GET

KEY = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)


def tokens(accounts: tuple[str, ...] = ("ACME",)) -> ProbeTokens:
    return ProbeTokens(key=KEY, issuer="http://gate", clock=ManualClock(), accounts=accounts)


def token(kind: TokenKind) -> str:
    found = tokens().token(kind, GET, scopes=("governance:prove",))
    assert found is not None
    return found


def segment(text: str, number: int) -> dict[str, Any]:
    raw = text.split(".")[number]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    return found


def verifies(text: str) -> bool:
    signed, _, signature = text.rpartition(".")
    private = KEY.get_op_key("sign")
    assert isinstance(private, Ed25519PrivateKey)
    return bool(private.sign(signed.encode()) == urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))


def test_the_good_one_opens_one_operation_of_one_tier() -> None:
    good = segment(token("valid"), 1)
    assert (good["aud"], good["scope"]) == ("http://gate/system", "desks.desks:read governance:prove")
    assert (good["accounts"], good["account_reach"]) == (["ACME"], "own")
    assert good["exp"] - good["iat"] == 300
    assert verifies(token("valid"))


@pytest.mark.parametrize(
    ("kind", "differs"),
    [
        ("expired", {"iat", "exp", "jti"}),
        ("not-yet", {"nbf", "exp", "jti"}),
        ("wrong-audience", {"aud", "jti"}),
        ("other-issuer", {"iss", "jti"}),
        ("no-expiry", {"exp", "jti"}),
        ("no-scope", {"scope", "jti"}),
        ("no-probe", {"scope", "jti"}),
        ("other-account", {"accounts", "jti"}),
    ],
)
def test_some_are_signed_well_and_wrong_in_one_claim(kind: TokenKind, differs: set[str]) -> None:
    good, wrong = segment(token("valid"), 1), segment(token(kind), 1)
    assert {name for name in good | wrong if good.get(name) != wrong.get(name)} == differs
    assert segment(token(kind), 0) == segment(token("valid"), 0)
    assert verifies(token(kind))


@pytest.mark.parametrize(
    ("kind", "differs"),
    [
        ("wrong-type", {"typ"}),
        ("critical", {"crit", "exp"}),
        ("alg-none", {"alg"}),
        ("hmac-of-public-key", {"alg"}),
        ("other-key", set()),
        ("key-in-header", {"jwk", "kid"}),
        ("tampered", set()),
    ],
)
def test_others_say_the_right_things_under_a_wrong_header_or_signature(kind: TokenKind, differs: set[str]) -> None:
    good, wrong = segment(token("valid"), 0), segment(token(kind), 0)
    assert {name for name in good | wrong if good.get(name) != wrong.get(name)} == differs
    said = segment(token(kind), 1)
    assert {**said, "jti": ""} == {**segment(token("valid"), 1), "jti": ""}
    assert verifies(token(kind)) == (kind in ("wrong-type", "critical"))


def test_every_kind_is_made_and_known_as_good_or_bad() -> None:
    made = {kind: tokens().token(kind, GET) for kind in get_args(TokenKind)}
    assert [kind for kind, text in made.items() if text is None] == ["none"]
    assert len(set(made.values())) == len(made)
    assert set(get_args(TokenKind)) - BAD_TOKENS == {"valid", "none", "no-scope", "no-probe", "other-account"}


def test_without_accounts_it_reaches_all() -> None:
    text = tokens(()).token("valid", GET)
    assert text is not None
    assert segment(text, 1)["account_reach"] == "all"
