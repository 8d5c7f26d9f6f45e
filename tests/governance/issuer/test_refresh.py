"""Refresh tokens: RFC 6749 §6, RFC 9700 §2.2.2 and §4.14."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from issuer_world import ADA, World

from governance.identity import BadToken
from governance.issuer import Users
from governance.issuer.grants import GRANT_S, REFRESH_S


@pytest.mark.rule("RFC 9700 §2.2.2", "Refresh tokens of public clients are replaced with every use")
def test_every_use_gives_another_refresh_token(world: World) -> None:
    first = world.signed_in()
    status, second = world.refresh(first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert world.principal(second["access_token"]).subject == "ada"


@pytest.mark.rule("RFC 9700 §4.14.2", "A refresh token that comes again revokes every token of its grant")
def test_a_refresh_token_that_comes_again_ends_the_grant(world: World) -> None:
    first = world.signed_in()
    _, second = world.refresh(first["refresh_token"])
    world.principal(second["access_token"])
    assert world.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"
    assert world.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"
    for members in (first, second):
        with pytest.raises(BadToken, match="revoked"):
            world.principal(members["access_token"])


def test_of_processes_that_get_one_refresh_token_at_once_at_most_one_gives_tokens(world: World) -> None:
    token = world.signed_in()["refresh_token"]
    processes = [world, *(world.another() for _ in range(3))]
    grants = [process.issuer.grants.of_refresh_token(token) for process in processes]  # all find it unspent
    with ThreadPoolExecutor(4) as threads:
        given = list(
            threads.map(lambda one: one[0].issuer.grants.rotate(one[1], token), zip(processes, grants, strict=True))
        )
    assert sorted(one is None for one in given) == [False, True, True, True]
    successor = next(one for one in given if one)
    assert world.refresh(successor)[1]["error"] == "invalid_grant"  # the second use has ended the grant


def test_a_scope_that_a_user_gets_later_was_not_granted(world: World) -> None:
    first = world.signed_in(scope=None)
    more = ADA.scopes | {"catalogue.products:read"}
    world.users.become(Users([msgspec.structs.replace(ADA, scopes=more)]))
    _, second = world.refresh(first["refresh_token"])
    assert second["scope"] == first["scope"] == "portal.orders:read portal.orders:write"


def test_another_grant_of_the_same_user_goes_on(world: World) -> None:
    stolen, other = world.signed_in(), world.signed_in()
    world.refresh(stolen["refresh_token"])
    world.refresh(stolen["refresh_token"])
    assert world.refresh(other["refresh_token"])[0] == 200
    assert world.principal(other["access_token"]).subject == "ada"


@pytest.mark.rule("RFC 6749 §6", "A refresh token is bound to its client")
@pytest.mark.rule("RFC 9700 §4.14.2", "A refresh token is bound to what the user granted")
def test_a_refresh_token_is_bound_to_its_client(world: World) -> None:
    members = world.signed_in("app")
    assert world.refresh(members["refresh_token"], "web")[1]["error"] == "invalid_grant"
    assert world.refresh(members["refresh_token"])[0] == 200  # the stranger has not ended it


@pytest.mark.rule("RFC 6749 §6", "A refreshed token has no scope that was not granted; its successor keeps them all")
def test_scopes_can_only_be_narrowed(world: World) -> None:
    first = world.signed_in(scope="portal.orders:read portal.orders:write")
    _, narrow = world.refresh(first["refresh_token"], scope="portal.orders:read")
    assert narrow["scope"] == "portal.orders:read"
    status, refused = world.refresh(narrow["refresh_token"], scope="catalogue.products:read")
    assert (status, refused["error"]) == (400, "invalid_scope")
    _, whole = world.refresh(narrow["refresh_token"])
    assert whole["scope"] == "portal.orders:read portal.orders:write"


def test_what_was_taken_from_the_user_is_not_refreshed(world: World) -> None:
    first = world.signed_in(scope="portal.orders:read portal.orders:write")
    world.users.become(Users([msgspec.structs.replace(ADA, scopes=frozenset({"portal.orders:read"}))]))
    _, second = world.refresh(first["refresh_token"])
    assert second["scope"] == "portal.orders:read"
    world.users.become(Users())
    assert world.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"


@pytest.mark.rule("RFC 9700 §4.14.2", "Refresh tokens expire when they are not used")
def test_a_refresh_token_expires(world: World) -> None:
    members = world.signed_in()
    world.clock.advance(REFRESH_S + 1)
    assert world.refresh(members["refresh_token"])[1]["error"] == "invalid_grant"


def test_a_grant_ends_however_often_it_was_refreshed(world: World) -> None:
    members = world.signed_in()
    for _ in range(GRANT_S // (REFRESH_S - 60)):
        world.clock.advance(REFRESH_S - 60)
        status, members = world.refresh(members["refresh_token"])
        assert status == 200
    world.clock.advance(REFRESH_S - 60)
    assert world.refresh(members["refresh_token"])[1]["error"] == "invalid_grant"


def test_client_credentials_give_no_refresh_token(world: World) -> None:
    assert "refresh_token" not in world.granted()


def test_while_the_database_is_away_client_credentials_go_on(world: World) -> None:
    members = world.signed_in()
    world.close()
    status, refused = world.refresh(members["refresh_token"])
    assert (status, refused["error"]) == (503, "temporarily_unavailable")
    assert world.granted()["access_token"]
    assert world.revoke(members["refresh_token"])[0] == 503
