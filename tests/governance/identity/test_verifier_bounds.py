"""Size, shape and claims of a token: RFC 9068 §2.2, and bounds of our own."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from governance.call import Accounts

Reason = Callable[..., str]


def segment(value: Any) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=")


# Size and shape


@pytest.mark.rule("RFC 8725 §2.4", "The size of a token is bounded")
def test_a_token_above_8_kib_is_refused_before_anything_is_decoded(forge: Any, reason_of: Reason) -> None:
    assert reason_of(forge.token(forge.claims(padding="x" * 8_000))) == "oversized"
    assert reason_of(b"a" * 8_193) == "oversized"


@pytest.mark.rule("RFC 8725 §3.3", "A nested token is refused: no inner signature goes unverified")
def test_nested_and_encrypted_tokens_are_refused(forge: Any, reason_of: Reason) -> None:
    assert reason_of(forge.token(forge.token(), header={"cty": "JWT"})) == "nested"
    assert reason_of(forge.token(forge.token())) == "malformed"
    assert reason_of(b".".join((segment({"alg": "dir", "enc": "A256GCM"}), b"a", b"b", b"c", b"d"))) == "malformed"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"a b.c.d",
        b"\xff.\xff.\xff",
        b"e30.e30.e30",
        b"W10.e30.AA",
        b"bnVsbA.e30.AA",
    ],
)
def test_garbage_is_refused(reason_of: Reason, token: bytes) -> None:
    assert reason_of(token) == "malformed"


@pytest.mark.rule("RFC 8725 §3.7", "A payload that is not a JSON object in UTF-8 is refused")
@pytest.mark.parametrize("payload", [b"[]", b"null", b"7", b'"x"', b"{", b"\xff\xfe", b"[" * 5_000, b'{"a":' * 1_000])
def test_a_payload_is_a_json_object(forge: Any, reason_of: Reason, payload: bytes) -> None:
    assert reason_of(forge.token(payload)) == "malformed"


def test_a_deeply_nested_header_is_refused(forge: Any, reason_of: Reason) -> None:
    header = (
        b'{"alg":"Ed25519","typ":"at+jwt","kid":"%s","x":' % forge.key.kid.encode() + b"[" * 2_400 + b"]" * 2_400 + b"}"
    )
    assert reason_of(segment(header) + b"." + segment(forge.claims()) + b".AAAA") in ("malformed", "signature")


# RFC 9068 §2.2: who


@pytest.mark.rule("RFC 9068 §2.2", "Claims of the wrong kind are refused")
@pytest.mark.parametrize(
    "changed",
    [
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"client_id": None}, {"client_id": ""}, {"client_id": ["c"]},
        {"scope": ["erp.products:read"]}, {"scope": 7}, {"accounts": 7}, {"accounts": [7]}, {"accounts": {"a": 1}},
        {"accounts": ""}, {"accounts": ["ACME", "no id!"]}, {"accounts": ["ACME\n"]}, {"accounts": ["A" * 41]},
        {"account_reach": "everything"}, {"account_reach": True},
    ],
)  # fmt: skip
def test_claims_of_the_wrong_kind_are_refused(forge: Any, reason_of: Reason, changed: dict[str, Any]) -> None:
    assert reason_of(forge.token(forge.claims(**changed))) == "claims"


def test_the_account_claim_has_the_issuers_own_name(forge: Any) -> None:
    verifier = forge.verifying(account_claim="customer", reach_claim="customer_reach", client_claim="azp")
    token = forge.token(forge.claims(customer="GLOBEX", azp="c-9", account_reach="all"))
    principal = asyncio.run(verifier.verify(token, "system")).principal
    assert (principal.client_id, principal.accounts) == ("c-9", Accounts(ids=("GLOBEX",), reach="own"))


def test_an_access_token_never_acts_for_an_api(forge: Any) -> None:
    token = forge.token(forge.claims(act={"sub": "portal.v1"}, user_scope="everything"))
    identity = asyncio.run(forge.verifier.verify(token, "system"))
    assert identity.principal.acting_api is None
    assert identity.on_behalf_of is identity.principal
