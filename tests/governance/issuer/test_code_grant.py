"""Redeeming codes: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5 and §4.8."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from issuer_world import REDIRECT, World

from governance.identity import BadToken
from governance.issuer.grants import CODE_S


def test_the_token_is_the_users_as_far_as_user_and_client_hold_it(world: World) -> None:
    members = world.signed_in(scope=None)
    assert members["scope"] == "portal.orders:read portal.orders:write"
    principal = world.principal(members["access_token"])
    assert (principal.subject, principal.client_id) == ("ada", "app")
    assert (principal.accounts.ids, principal.accounts.reach) == (("ACME",), "own")
    assert principal.scopes == {"portal.orders:read", "portal.orders:write"}


def test_only_what_was_asked_for_is_granted(world: World) -> None:
    assert world.signed_in(scope="portal.orders:read")["scope"] == "portal.orders:read"


def test_a_client_with_a_secret_shows_it(world: World) -> None:
    assert world.signed_in("web")["refresh_token"]
    code = world.code(client_id="web")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "web"}
    assert world.ask(form).status == 401


@pytest.mark.rule("RFC 6749 §4.1.2", "A code works once; a second use revokes what the first gave")
def test_a_code_that_comes_again_revokes_what_it_gave(world: World) -> None:
    code = world.code()
    _, members = world.redeem(code)
    world.principal(members["access_token"])
    status, refused = world.redeem(code)
    assert (status, refused["error"]) == (400, "invalid_grant")
    with pytest.raises(BadToken, match="revoked"):
        world.principal(members["access_token"])
    assert world.refresh(members["refresh_token"])[1]["error"] == "invalid_grant"


def test_of_processes_that_redeem_a_code_at_once_at_most_one_gives_tokens(world: World) -> None:
    code, others = world.code(), [world.another() for _ in range(3)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda process: process.redeem(code), (world, *others)))
    assert sorted(status for status, _ in answers)[1:] == [400, 400, 400]
    for _, members in answers:
        if "refresh_token" in members:
            assert world.refresh(members["refresh_token"])[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 7636 §4.6", "A code is redeemed with the verifier whose hash was announced, or not at all")
@pytest.mark.rule("RFC 9700 §4.5.3.1", "An injected code is useless without the verifier of its own request")
@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        ("", "invalid_request"),
        ("another-" + "y" * 43, "invalid_grant"),
        ("short", "invalid_request"),
        ("v" * 129, "invalid_request"),
        ("é" * 43, "invalid_request"),
    ],
)
def test_a_code_is_nothing_without_its_verifier(world: World, verifier: str, error: str) -> None:
    for client_id in ("app", "web"):
        status, refused = world.redeem(world.code(client_id=client_id), client_id, code_verifier=verifier)
        assert (status, refused["error"]) == (400, error)


@pytest.mark.rule("RFC 7636 §4.6", "The hash itself, sent as the verifier, is refused: S256 is never read as plain")
def test_the_challenge_is_no_verifier(world: World) -> None:
    from issuer_world import CHALLENGE

    assert world.redeem(world.code(), code_verifier=CHALLENGE)[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 6749 §4.1.3", "A code is bound to its client and redirect URI")
@pytest.mark.rule("RFC 9700 §4.5", "A code can be redeemed by the client only that it was given to")
def test_a_code_is_bound_to_its_client_and_address(world: World) -> None:
    assert world.redeem(world.code(client_id="app"), "web")[1]["error"] == "invalid_grant"
    assert world.redeem(world.code(), redirect_uri="https://shop.example/other")[1]["error"] == "invalid_grant"
    assert world.redeem(world.code(), redirect_uri="")[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 6749 §4.1.2", "A code expires within minutes")
def test_a_code_lives_a_minute(world: World) -> None:
    code = world.code()
    world.clock.advance(CODE_S + 1)
    assert CODE_S <= 600
    assert world.redeem(code)[1]["error"] == "invalid_grant"


@pytest.mark.parametrize("code", ["x", "é", "a" * 43])
def test_what_is_no_code_is_refused(world: World, code: str) -> None:
    assert world.redeem(code)[1]["error"] == "invalid_grant"


def test_a_client_that_may_not_sign_users_in_is_refused(world: World) -> None:
    assert world.redeem("x", "shop")[1]["error"] == "unauthorized_client"


@pytest.mark.rule("RFC 9700 §2.3", "A token is for no more resources and scopes than were granted")
def test_resources_are_bound_to_what_was_granted(world: World) -> None:
    experience, process = "https://gw.example/experience", "https://gw.example/process"
    code = world.code(scope=None, resource=experience)
    assert world.redeem(code, resource=process)[1]["error"] == "invalid_target"
    _, members = world.redeem(code)  # what was refused has not cost the code
    with pytest.raises(BadToken, match="audience"):
        world.principal(members["access_token"], "process")


def test_a_user_who_is_gone_gets_nothing(world: World) -> None:
    from governance.issuer import Users

    code = world.code()
    world.users.become(Users())
    assert world.redeem(code)[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 9700 §2.4", "The password grant is not offered")
def test_no_password_reaches_a_client(world: World) -> None:
    form: dict[str, Any] = {"grant_type": "password", "username": "ada", "password": "x"}
    assert world.answered("web", form)[1]["error"] == "unsupported_grant_type"


@pytest.mark.rule("RFC 6749 §4.4", "Client credentials are for clients with a secret only")
def test_a_public_client_is_nobody_by_itself(world: World) -> None:
    status, members = world.answered("app", {"grant_type": "client_credentials"})
    assert (status, members["error"]) == (401, "invalid_client")


def test_codes_and_refresh_tokens_are_kept_as_digests_only(world: World) -> None:
    code = world.code()
    _, members = world.redeem(code)
    kept = b"".join(file.read_bytes() for file in world.home.glob("tiergate.sqlite*"))
    assert b"portal.orders" in kept
    assert code.encode() not in kept
    assert members["refresh_token"].encode() not in kept
