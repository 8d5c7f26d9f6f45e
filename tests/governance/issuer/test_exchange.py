"""Token exchange: RFC 8693."""

from __future__ import annotations

from typing import Any

import pytest
from issuer_world import World

from governance.identity import BadToken
from governance.issuer.client import EXCHANGE
from governance.issuer.exchange import ACCESS_TOKEN, JWT, MOST_ACTORS


def exchange(world: World, token: str, client_id: str = "service", **more: str) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return world.answered(client_id, {**form, **more})


def claims(world: World, token: str) -> dict[str, Any]:
    read = world.issuer.tokens.read(token)
    assert read is not None
    return read


@pytest.mark.rule("RFC 8693 §2.2.1", "The answer names the type of the token that was issued")
@pytest.mark.rule("RFC 8693 §4.1", "The token keeps the subject and names who acts for it")
def test_a_service_gets_a_token_in_the_subjects_name(world: World) -> None:
    subject = world.signed_in(scope=None)["access_token"]
    status, members = exchange(world, subject)
    assert status == 200, members
    assert (members["issued_token_type"], members["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert "refresh_token" not in members
    made = claims(world, members["access_token"])
    assert (made["sub"], made["client_id"], made["act"]) == ("ada", "service", {"sub": "service"})
    principal = world.principal(members["access_token"])
    assert (principal.subject, principal.accounts.ids) == ("ada", ("ACME",))


@pytest.mark.rule("RFC 8693 §2.1", "The new token has no scope that the subject token or the client lacks")
def test_scopes_can_only_be_narrowed(world: World) -> None:
    subject = world.signed_in(scope="portal.orders:read portal.orders:write")["access_token"]
    assert exchange(world, subject)[1]["scope"] == "portal.orders:read"  # the service itself may not write
    for scope in ("portal.orders:write", "erp.products:read"):
        status, refused = exchange(world, subject, scope=scope)
        assert (status, refused["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_tiers_can_only_be_narrowed(world: World, name: str) -> None:
    subject = world.granted("shop")["access_token"]
    process = "https://gw.example/process"
    _, members = exchange(world, subject, **{name: process})
    assert claims(world, members["access_token"])["aud"] == [process]
    for other in ("https://gw.example/system", "https://evil.example"):
        assert exchange(world, subject, **{name: other})[1]["error"] == "invalid_target"


def test_it_does_not_outlive_the_subject_token(world: World) -> None:
    subject = world.signed_in()["access_token"]
    world.clock.advance(3_000)
    _, members = exchange(world, subject)
    assert members["expires_in"] == 600
    assert claims(world, members["access_token"])["exp"] == claims(world, subject)["exp"]
    world.clock.advance(601)
    assert exchange(world, subject)[1]["error"] == "invalid_grant"


def test_it_ends_with_what_it_was_made_from(world: World) -> None:
    for end in ("access_token", "refresh_token"):
        first = world.signed_in()
        _, second = exchange(world, first["access_token"])
        _, third = exchange(world, second["access_token"])
        world.principal(third["access_token"])
        assert world.revoke(first[end])[0] == 200
        for members in (second, third):
            with pytest.raises(BadToken, match="revoked"):
                world.principal(members["access_token"])
        assert exchange(world, third["access_token"])[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 8693 §4.1", "Former actors stay visible, nested in the present one")
def test_the_chain_of_actors_is_kept_and_bounded(world: World) -> None:
    token = world.signed_in()["access_token"]
    for _ in range(MOST_ACTORS):
        _, members = exchange(world, token)
        token = members["access_token"]
    act, depth = claims(world, token)["act"], 0
    while act:
        act, depth = act.get("act"), depth + 1
    assert depth == MOST_ACTORS
    assert exchange(world, token)[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 8693 §2.2.2", "A subject token that proves nothing is refused")
def test_a_subject_token_that_proves_nothing_is_refused(world: World) -> None:
    token = world.signed_in()["access_token"]
    claimed = claims(world, token)
    other_type = world.issuer.tokens.sign(claimed, "hop+jwt")
    other_issuer = world.issuer.tokens.sign({**claimed, "iss": "https://evil.example"})
    for wrong in ("x", "a.b.c", token[:-4], token + "x", other_type, other_issuer):
        assert exchange(world, wrong)[1]["error"] == "invalid_grant", wrong


@pytest.mark.parametrize(
    "more",
    [
        {"subject_token": ""},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"subject_token_type": ""},
        {"actor_token": "x", "actor_token_type": JWT},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
    ],
)
def test_what_is_not_offered_is_refused(world: World, more: dict[str, str]) -> None:
    assert exchange(world, world.granted()["access_token"], **more)[1]["error"] == "invalid_request"


def test_only_clients_that_are_named_for_it_exchange(world: World) -> None:
    token = world.signed_in()["access_token"]
    assert exchange(world, token, "web")[1]["error"] == "unauthorized_client"
    assert exchange(world, token, "app")[1]["error"] == "invalid_client"
