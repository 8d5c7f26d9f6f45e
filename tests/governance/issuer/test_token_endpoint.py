"""POST /oauth/token: RFC 6749 §2.3.1, §3.2, §4.4, §5.1, §5.2 and RFC 8707 §2."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from governance.call import Answer
from governance.identity import BadToken

SECRET = "correct horse battery"
GRANT = {"grant_type": "client_credentials"}


def refused(answer: Answer, status: int, error: str) -> dict[bytes, bytes]:
    headers = dict(answer.headers)
    document = msgspec.json.decode(answer.body)
    assert (answer.status, document["error"]) == (status, error)
    assert document["error_description"]
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"content-type"] == b"application/json"
    return headers


def test_a_client_gets_all_its_scopes_where_none_is_named(world: Any) -> None:
    token = world.granted()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3_600
    assert token["scope"] == "catalogue.products:read portal.orders:read portal.orders:write"
    principal = world.principal(token["access_token"], "experience")
    assert principal.scopes == set(token["scope"].split())
    assert (principal.subject, principal.client_id) == ("shop", "shop")
    assert (principal.accounts.ids, principal.accounts.reach) == (("ACME",), "subtree")


def test_the_answer_is_never_cached(world: Any, basic_of: Any) -> None:
    headers = dict(world.ask(GRANT, basic_of("shop", SECRET)).headers)
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"pragma"] == b"no-cache"


def test_a_token_is_for_the_tiers_that_its_scopes_open(world: Any) -> None:
    token = world.granted()["access_token"]
    assert world.principal(token, "process").client_id == "shop"
    with pytest.raises(BadToken, match="audience"):
        world.principal(token, "system")


def test_it_expires(world: Any) -> None:
    token = world.granted()["access_token"]
    world.clock.advance(3_611)
    with pytest.raises(BadToken, match="expired"):
        world.principal(token, "experience")


def test_scopes_can_be_named(world: Any) -> None:
    token = world.granted(scope="portal.orders:read")
    assert token["scope"] == "portal.orders:read"
    assert world.principal(token["access_token"], "experience").scopes == {"portal.orders:read"}


def test_an_empty_scope_counts_as_left_out(world: Any) -> None:
    assert len(world.granted(scope="")["scope"].split()) == 3


def test_a_client_without_scopes_gets_a_token_that_opens_nothing(world: Any) -> None:
    token = world.granted("bare")
    assert token["scope"] == ""
    assert world.principal(token["access_token"], "experience").scopes == frozenset()


def test_both_ways_to_send_the_secret(world: Any, basic_of: Any) -> None:
    assert world.ask(GRANT, basic_of("shop", SECRET)).status == 200
    assert world.ask({**GRANT, "client_id": "shop", "client_secret": SECRET}).status == 200


def test_two_secrets_are_valid_at_once(world: Any, basic_of: Any) -> None:
    assert world.ask(GRANT, basic_of("shop", "the secret to come")).status == 200
    assert world.ask(GRANT, basic_of("shop", SECRET)).status == 200


@pytest.mark.parametrize(
    "scope", ["erp.products:read", "portal.orders:read erp.products:read", "unknown", "portal.orders:*", "é"]
)
def test_a_scope_that_the_client_does_not_hold_is_refused(world: Any, basic_of: Any, scope: str) -> None:
    refused(world.ask({**GRANT, "scope": scope}, basic_of("shop", SECRET)), 400, "invalid_scope")


# RFC 6749 §5.2: invalid_client


def test_a_wrong_secret_and_an_unknown_client_look_the_same(world: Any, basic_of: Any) -> None:
    answers = [
        world.ask(GRANT, basic_of("shop", "wrong")),
        world.ask(GRANT, basic_of("nobody", SECRET)),
        world.ask({**GRANT, "client_id": "shop", "client_secret": "wrong"}),
        world.ask({**GRANT, "client_id": "nobody", "client_secret": SECRET}),
    ]
    for answer in answers:
        headers = refused(answer, 401, "invalid_client")
        assert headers[b"www-authenticate"] == b'Basic realm="tiergate", charset="UTF-8"'
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ", "Basic !!!", "Basic c2hvcA==", "Basic /////w==", "Basic \u00e9", "Bearer abc", "Basic Og=="],
)
def test_credentials_that_can_not_be_read_are_refused(world: Any, value: str) -> None:
    refused(world.ask(GRANT, ("authorization", value)), 401, "invalid_client")


def test_no_credentials_at_all_are_refused(world: Any) -> None:
    refused(world.ask(GRANT), 401, "invalid_client")
    refused(world.ask({**GRANT, "client_id": "shop"}), 401, "invalid_client")
    refused(world.ask({**GRANT, "client_id": "shop", "client_secret": ""}), 401, "invalid_client")


# RFC 6749 §5.2: unsupported_grant_type, invalid_request


@pytest.mark.parametrize("grant", ["password", "implicit", "Client_Credentials", "<é\n>"])
def test_another_grant_is_refused_without_an_echo(world: Any, basic_of: Any, grant: str) -> None:
    answer = world.ask({"grant_type": grant}, basic_of("shop", SECRET))
    refused(answer, 400, "unsupported_grant_type")
    assert grant.encode() not in answer.body


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"grant_type=",
        b"scope=portal.orders:read",
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=client_credentials&scope=a&scope=b",
        b"grant_type=client_credentials&client_secret=x",
        b"grant_type=%ff",
        b"grant_type=\xff",
        b"&".join(b"a%d=1" % number for number in range(40)),
        b"grant_type=client_credentials&padding=" + b"x" * 9_000,
        b'{"grant_type":"client_credentials"}',
    ],
)
def test_a_form_that_is_none_is_refused(world: Any, basic_of: Any, form: bytes) -> None:
    refused(world.ask(form, basic_of("shop", SECRET)), 400, "invalid_request")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "multipart/form-data"])
def test_another_content_type_is_refused(world: Any, basic_of: Any, kind: str) -> None:
    refused(world.ask(GRANT, basic_of("shop", SECRET), ("content-type", kind)), 400, "invalid_request")


def test_a_content_type_may_state_its_charset(world: Any, basic_of: Any) -> None:
    kind = ("content-type", "Application/X-www-form-urlencoded; charset=utf-8")
    assert world.ask(GRANT, basic_of("shop", SECRET), kind).status == 200


def test_credentials_in_the_address_are_refused(world: Any) -> None:
    query = "client_id=shop&client_secret=correct+horse+battery"
    refused(world.ask(GRANT, query=query), 400, "invalid_request")


def test_two_authorization_headers_are_refused(world: Any, basic_of: Any) -> None:
    refused(world.ask(GRANT, basic_of("shop", SECRET), basic_of("bare", SECRET)), 400, "invalid_request")


# RFC 8707


def test_a_resource_restricts_audience_and_scopes(world: Any) -> None:
    token = world.granted(resource="https://gw.example/process")
    assert token["scope"] == "catalogue.products:read"
    assert world.principal(token["access_token"], "process").client_id == "shop"
    with pytest.raises(BadToken, match="audience"):
        world.principal(token["access_token"], "experience")


def test_several_resources_may_be_named(world: Any, basic_of: Any) -> None:
    form = b"grant_type=client_credentials&resource=https://gw.example/process&resource=https://gw.example/experience"
    answer = world.ask(form, basic_of("shop", SECRET))
    assert len(msgspec.json.decode(answer.body)["scope"].split()) == 3


@pytest.mark.parametrize(
    "resource", ["https://gw.example", "https://gw.example/process/", "https://evil.example/process"]
)
def test_an_unknown_resource_is_refused(world: Any, basic_of: Any, resource: str) -> None:
    refused(world.ask({**GRANT, "resource": resource}, basic_of("shop", SECRET)), 400, "invalid_target")


def test_a_resource_for_which_no_scope_is_held_is_refused(world: Any, basic_of: Any) -> None:
    form = {**GRANT, "resource": "https://gw.example/system"}
    refused(world.ask(form, basic_of("shop", SECRET)), 400, "invalid_scope")


# Floods


def test_guessing_is_slowed_down_per_peer(world: Any, basic_of: Any) -> None:
    for _ in range(20):
        assert world.ask(GRANT, basic_of("shop", "wrong")).status == 401
    slowed = world.ask(GRANT, basic_of("shop", SECRET))
    assert slowed.status == 429
    assert int(dict(slowed.headers)[b"retry-after"]) == 1
    world.clock.advance(1)
    assert world.ask(GRANT, basic_of("shop", SECRET)).status == 200


# For the operator


def test_the_operator_gets_a_token_without_the_secret(world: Any) -> None:
    from governance.contract import NotFound

    assert world.principal(world.issuer.issue("shop"), "experience").client_id == "shop"
    narrowed = world.issuer.issue("shop", frozenset({"portal.orders:read", "erp.products:read"}))
    assert world.principal(narrowed, "experience").scopes == {"portal.orders:read"}
    with pytest.raises(NotFound):
        world.issuer.issue("nobody")
