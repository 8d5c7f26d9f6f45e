"""RFC 8725 §3 and RFC 9068 §2, §4, one rule a test."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from governance.call import Accounts, Principal
from governance.identity import OwnKeys, TrustedIssuer

Reason = Callable[..., str]


def segment(value: Any) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=")


def test_a_good_token_gives_its_principal(forge: Any) -> None:
    identity = asyncio.run(forge.verifier.verify(forge.token(), "system"))
    assert identity.principal == Principal(
        subject="u-1",
        client_id="c-1",
        scopes=frozenset({"erp.products:read", "erp.prices:read"}),
        accounts=Accounts(ids=("ACME",), reach="own"),
        expires_at=float(forge.now + 300),
    )
    assert identity.on_behalf_of is identity.principal


def test_a_token_without_scope_has_none(forge: Any) -> None:
    identity = asyncio.run(forge.verifier.verify(forge.token(forge.claims(scope=None)), "system"))
    assert identity.principal.scopes == frozenset()


# RFC 8725 §3.1, §3.2: algorithms


@pytest.mark.rule("RFC 8725 §3.2", "A token with alg none, in whatever spelling, is refused")
def test_algorithm_none_is_refused(forge: Any, reason_of: Reason) -> None:
    for alg in ("none", "None", "NONE"):
        unsigned = segment({"alg": alg, "typ": "at+jwt"}) + b"." + segment(forge.claims())
        assert reason_of(unsigned + b".") == "malformed"
        assert reason_of(unsigned + b".AAAA") == "algorithm"


@pytest.mark.rule("RFC 8725 §2.1", "A public key is never taken for an HMAC secret")
def test_an_hmac_over_the_public_key_is_refused(forge: Any, reason_of: Reason) -> None:
    public = forge.key.as_dict(private=False)
    signed = segment({"alg": "HS256", "typ": "at+jwt", "kid": forge.key.kid}) + b"." + segment(forge.claims())
    for secret in (public["x"].encode(), forge.key.as_pem(private=False), json.dumps(public).encode()):
        assert reason_of(signed + b"." + segment(hmac.digest(secret, signed, "sha256"))) == "algorithm"


@pytest.mark.rule("RFC 8725 §3.1", "Only algorithms on the list of the issuer verify")
def test_an_algorithm_that_is_not_on_the_list_is_refused(forge: Any, reason_of: Reason) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    verifier = forge.verifying(keys=OwnKeys([key]), algorithms=("ES256",))
    assert reason_of(forge.token(key=key, header={"alg": "RS256"}), verifier) == "algorithm"


@pytest.mark.rule("RFC 8725 §3.2", "none and symmetric algorithms can not be allowed")
@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "dir", ""])
def test_such_algorithms_can_not_even_be_configured(algorithm: str) -> None:
    with pytest.raises(ValueError, match="algorithms can't hold"):
        TrustedIssuer(issuer="https://id.example", keys=OwnKeys([]), algorithms=("ES256", algorithm))


def test_no_algorithms_at_all_can_not_be_configured() -> None:
    with pytest.raises(ValueError, match="an empty list"):
        TrustedIssuer(issuer="https://id.example", keys=OwnKeys([]), algorithms=())


@pytest.mark.rule("RFC 9068 §2.1", "RS256 and other asymmetric algorithms verify where they are allowed")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_asymmetric_algorithm_on_the_list_verifies(forge: Any, algorithm: str) -> None:
    key = {
        "ES256": lambda: ECKey.generate_key("P-256", auto_kid=True),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519", auto_kid=True),
    }.get(algorithm, lambda: RSAKey.generate_key(2048, auto_kid=True))()
    token = forge_silently(forge, key, algorithm)
    verifier = forge.verifying(keys=OwnKeys([key]), algorithms=(algorithm,))
    assert asyncio.run(verifier.verify(token, "system")).principal.subject == "u-1"


def forge_silently(forge: Any, key: Any, algorithm: str) -> bytes:
    """Sign without joserfc's warning about the former name of Ed25519."""
    header = segment({"alg": algorithm, "typ": "at+jwt", "kid": key.kid})
    signed = header + b"." + segment(forge.claims())
    return signed + b"." + segment(jws.JWSRegistry.algorithms[algorithm].sign(signed, key))


@pytest.mark.rule("RFC 8725 §3.1", "A key is used with one algorithm only")
def test_a_key_serves_only_the_algorithm_it_is_published_for(forge: Any, reason_of: Reason) -> None:
    key = RSAKey.generate_key(2048, {"alg": "PS256", "kid": "k"})
    signer = RSAKey.import_key(key.as_pem(private=True), {"kid": "k"})
    verifier = forge.verifying(keys=OwnKeys([key]), algorithms=("RS256", "PS256"))
    assert reason_of(forge.token(key=signer, header={"alg": "RS256"}), verifier) == "key"


def test_a_key_that_is_published_for_encryption_is_not_used(forge: Any, reason_of: Reason) -> None:
    key = ECKey.generate_key("P-256", {"use": "enc", "kid": "k"})
    signer = ECKey.import_key(key.as_pem(private=True), {"kid": "k"})
    verifier = forge.verifying(keys=OwnKeys([key]), algorithms=("ES256",))
    assert reason_of(forge.token(key=signer, header={"alg": "ES256"}), verifier) == "key"


# RFC 8725 §3.3: signature


@pytest.mark.rule("RFC 8725 §3.3", "A token whose signature does not verify is refused whole")
@pytest.mark.rule("RFC 9068 §4", "The signature is verified with the keys of the issuer")
def test_any_changed_byte_is_refused(forge: Any, reason_of: Reason) -> None:
    header, payload, signature = forge.token().split(b".")
    claims = segment(forge.claims(sub="somebody-else"))
    assert reason_of(b".".join((header, claims, signature))) == "signature"
    assert reason_of(b".".join((header, payload, b"A" * 86))) == "signature"
    assert reason_of(b".".join((header, payload, signature[:-4]))) == "signature"


def test_a_signature_has_one_spelling(forge: Any, reason_of: Reason) -> None:
    token = forge.token()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(token[-1]) ^ 1]
    assert reason_of(token[:-1] + bytes((twin,))) == "signature"


def test_another_issuers_key_is_refused(forge: Any, reason_of: Reason) -> None:
    stranger = OKPKey.generate_key("Ed25519", auto_kid=True)
    assert reason_of(forge.token(key=stranger)) == "key"
    assert reason_of(forge.token(key=stranger, header={"kid": forge.key.kid})) == "signature"
    assert reason_of(forge.token(key=stranger, header={"kid": None})) == "signature"


# RFC 8725 §3.5: key strength


@pytest.mark.rule("RFC 8725 §3.5", "RSA keys below 2048 bits do not verify")
def test_a_short_rsa_key_is_not_used(forge: Any, reason_of: Reason) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    short = RSAKey(rsa.generate_private_key(65537, 1024), None, {"kid": "k"})
    signed = segment({"alg": "RS256", "typ": "at+jwt", "kid": "k"}) + b"." + segment(forge.claims())
    token = signed + b"." + segment(jws.JWSRegistry.algorithms["RS256"].sign(signed, short))
    assert reason_of(token, forge.verifying(keys=OwnKeys([short]), algorithms=("RS256",))) == "key"


# RFC 8725 §3.8, RFC 9068 §4: issuer


@pytest.mark.rule("RFC 8725 §3.8", "iss is exactly that of a trusted issuer")
@pytest.mark.rule("RFC 9068 §4", "iss matches the issuer exactly")
@pytest.mark.parametrize("issuer", ["https://id.example/", "https://evil.example", "", None, 7, ["https://id.example"]])
def test_the_issuer_must_be_a_trusted_one_exactly(forge: Any, reason_of: Reason, issuer: Any) -> None:
    assert reason_of(forge.token(forge.claims(iss=issuer))) == "issuer"


@pytest.mark.rule("RFC 8725 §3.8", "The key that verifies belongs to the issuer that the token names")
def test_an_issuer_can_not_sign_for_another(forge: Any, reason_of: Reason) -> None:
    from governance.identity import TokenVerifier

    other = OKPKey.generate_key("Ed25519", auto_kid=True)
    issuers = [
        TrustedIssuer(issuer="https://id.example", keys=OwnKeys([forge.key])),
        TrustedIssuer(issuer="https://other.example", keys=OwnKeys([other])),
    ]
    verifier = TokenVerifier(issuers, "https://gw.example", forge.clock)
    assert reason_of(forge.token(forge.claims(iss="https://other.example")), verifier) == "key"
    good = forge.token(forge.claims(iss="https://other.example"), key=other)
    assert asyncio.run(verifier.verify(good, "system")).principal.subject == "u-1"


# RFC 8725 §3.9, RFC 9068 §4: audience


@pytest.mark.rule("RFC 9068 §3", "aud is a string or an array")
def test_the_audience_may_be_a_string_or_among_an_array(forge: Any) -> None:
    for aud in ("https://gw.example/system", ["https://else.example", "https://gw.example/system"]):
        asyncio.run(forge.verifier.verify(forge.token(forge.claims(aud=aud)), "system"))


@pytest.mark.rule("RFC 8725 §3.9", "A token for another audience is refused")
@pytest.mark.rule("RFC 9068 §4", "aud names this resource, alone or in an array")
@pytest.mark.parametrize(
    ("aud", "reason"),
    [
        ("https://gw.example/process", "audience"),
        ("https://gw.example", "audience"),
        ("https://gw.example/system/", "audience"),
        ("https://gw.example/system https://gw.example/process", "audience"),
        ([], "audience"),
        (["https://gw.example/process"], "audience"),
        (None, "claims"),
        (7, "claims"),
        ({"aud": "https://gw.example/system"}, "claims"),
        (["https://gw.example/system", 7], "claims"),
    ],
)
def test_every_other_audience_is_refused(forge: Any, reason_of: Reason, aud: Any, reason: str) -> None:
    assert reason_of(forge.token(forge.claims(aud=aud))) == reason


@pytest.mark.rule("RFC 8725 §3.12", "Tokens of one purpose never pass for another")
def test_a_token_for_one_tier_does_not_open_another(forge: Any, reason_of: Reason) -> None:
    token = forge.token()
    asyncio.run(forge.verifier.verify(token, "system"))
    assert forge.verifier.known(token, "process") is None
    assert reason_of(token, tier="process") == "audience"


def test_an_issuer_may_have_audiences_of_its_own(forge: Any, reason_of: Reason) -> None:
    verifier = forge.verifying(audiences={"system": ("api://systems",), "experience": ()})
    asyncio.run(verifier.verify(forge.token(forge.claims(aud="api://systems")), "system"))
    assert reason_of(forge.token(), verifier) == "audience"
    assert (
        reason_of(forge.token(forge.claims(aud="https://gw.example/experience")), verifier, "experience") == "audience"
    )


# RFC 8725 §3.11, RFC 9068 §4: type


@pytest.mark.rule("RFC 9068 §2.1", "typ at+jwt and application/at+jwt are accepted")
@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_is_an_access_token(forge: Any, typ: str) -> None:
    asyncio.run(forge.verifier.verify(forge.token(header={"typ": typ}), "system"))


@pytest.mark.rule("RFC 8725 §3.11", "A token of another type, or of none, is refused")
@pytest.mark.rule("RFC 9068 §4", "typ is verified to be at+jwt")
@pytest.mark.parametrize("typ", ["JWT", "jwt", "id+jwt", "hop+jwt", "logout+jwt", "", None, "at+jwt ", "text/at+jwt"])
def test_every_other_type_is_refused(forge: Any, reason_of: Reason, typ: Any) -> None:
    assert reason_of(forge.token(header={"typ": typ})) == "type"


# RFC 7519 §4.1.4 to §4.1.6: times

WRONG_TIMES = ["soon", "1893456000", True, [1893456000], {}, "2030-01-01T00:00:00Z"]


@pytest.mark.rule("RFC 9068 §2.2", "exp, iat and nbf are numbers")
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", WRONG_TIMES)
def test_times_of_the_wrong_kind_are_refused(forge: Any, reason_of: Reason, claim: str, value: Any) -> None:
    assert reason_of(forge.token(forge.claims(**{claim: value}))) == "claims"


@pytest.mark.rule("RFC 9068 §2.2", "exp and iat are there")
@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_times_that_are_missing_or_null_are_refused(forge: Any, reason_of: Reason, claim: str) -> None:
    assert reason_of(forge.token(forge.claims(**{claim: None}))) == "claims"
    assert reason_of(forge.token({**forge.claims(), claim: None})) == "claims"


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"0x10"])
def test_numbers_that_json_does_not_have_are_refused(forge: Any, reason_of: Reason, number: bytes) -> None:
    claims = json.dumps(forge.claims(exp=0)).encode().replace(b'"exp": 0', b'"exp": ' + number)
    assert reason_of(forge.token(claims)) in ("malformed", "claims")


@pytest.mark.rule("RFC 9068 §4", "The current time is before exp")
def test_expiry_counts_with_leeway(forge: Any, reason_of: Reason) -> None:
    asyncio.run(forge.verifier.verify(forge.token(forge.claims(exp=forge.now - 9)), "system"))
    assert reason_of(forge.token(forge.claims(exp=forge.now - 10))) == "expired"
    assert reason_of(forge.token(forge.claims(exp=-1))) == "expired"
    assert reason_of(forge.token(forge.claims(exp=0))) == "expired"


def test_fractions_and_far_times_count(forge: Any) -> None:
    asyncio.run(forge.verifier.verify(forge.token(forge.claims(exp=forge.now + 0.5)), "system"))
    asyncio.run(forge.verifier.verify(forge.token(forge.claims(exp=1e300)), "system"))
    asyncio.run(forge.verifier.verify(forge.token(forge.claims(exp=10**30)), "system"))


@pytest.mark.rule("RFC 7519 §4.1.5", "A token does not count before nbf")
def test_not_before_and_issued_at_count_with_leeway(forge: Any, reason_of: Reason) -> None:
    asyncio.run(forge.verifier.verify(forge.token(forge.claims(nbf=forge.now + 10, iat=forge.now + 10)), "system"))
    assert reason_of(forge.token(forge.claims(nbf=forge.now + 11))) == "not-yet"
    assert reason_of(forge.token(forge.claims(iat=forge.now + 11))) == "not-yet"


# RFC 8725 §3.10: claims and headers that come from outside


@pytest.mark.rule("RFC 8725 §3.10", "kid is compared and never looked up in a file, a database or the net")
@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", "unknown", "\u0000", "k" * 4_000, ""])
def test_a_kid_is_only_ever_compared(forge: Any, reason_of: Reason, kid: str) -> None:
    assert reason_of(forge.token(header={"kid": kid})) == "key"


@pytest.mark.parametrize("kid", [7, ["k"], {"k": 1}, True])
def test_a_kid_is_a_string(forge: Any, reason_of: Reason, kid: Any) -> None:
    token = segment({"alg": "Ed25519", "typ": "at+jwt", "kid": kid}) + b"." + segment(forge.claims()) + b".AAAA"
    assert reason_of(token) == "malformed"


def test_without_a_kid_the_only_key_that_fits_is_used(forge: Any, reason_of: Reason) -> None:
    token = forge.token(header={"kid": None})
    asyncio.run(forge.verifier.verify(token, "system"))
    second = OKPKey.generate_key("Ed25519", auto_kid=True)
    assert reason_of(token, forge.verifying(keys=OwnKeys([forge.key, second]))) == "key"


@pytest.mark.rule("RFC 8725 §3.10", "jwk, jku, x5u and x5c of a token are ignored")
def test_keys_in_the_header_are_never_used(forge: Any, reason_of: Reason) -> None:
    own = OKPKey.generate_key("Ed25519", auto_kid=True)
    planted = {
        "jwk": own.as_dict(private=False),
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/chain.pem",
        "x5c": ["MIIB"],
    }
    for name, value in planted.items():
        assert reason_of(forge.token(key=own, header={name: value})) == "key"
        assert reason_of(forge.token(key=own, header={name: value, "kid": forge.key.kid})) == "signature"
        asyncio.run(forge.verifier.verify(forge.token(header={name: value}), "system"))


@pytest.mark.rule("RFC 7515 §4.1.11", "crit with anything that is not understood is refused")
@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "b64", ["urn:x"], {}])
def test_critical_extensions_are_refused(forge: Any, reason_of: Reason, crit: Any) -> None:
    header = {"alg": "Ed25519", "typ": "at+jwt", "crit": crit, "b64": True, "exp": 1, "urn:x": 1}
    assert reason_of(segment(header) + b"." + segment(forge.claims()) + b".AAAA") == "critical"


def test_unencoded_payloads_are_refused(forge: Any, reason_of: Reason) -> None:
    header = segment({"alg": "Ed25519", "typ": "at+jwt", "b64": False})
    assert reason_of(header + b"." + segment(forge.claims()) + b".AAAA") == "critical"
