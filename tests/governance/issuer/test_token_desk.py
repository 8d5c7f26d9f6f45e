"""Introspection, RFC 7662, and revocation, RFC 7009."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from issuer_world import World, basic

from governance.call import SystemClock
from governance.database import Database
from governance.identity import BadToken
from governance.issuer import KeyRing
from governance.issuer.grants import Grants
from governance.issuer.revocations import Revocations
from governance.issuer.tables import MIGRATIONS

INACTIVE = {"active": False}


@pytest.mark.rule("RFC 7662 §2.2", "A living token is told with its claims")
def test_a_living_token_is_told(world: World) -> None:
    members = world.signed_in("web")
    told = world.introspect(members["access_token"])
    assert told["active"] is True
    assert (told["sub"], told["client_id"], told["scope"]) == ("ada", "web", "portal.orders:read")
    assert told["exp"] - told["iat"] == 3_600
    assert told["iss"] == "https://gw.example"
    assert told["aud"] == ["https://gw.example/experience"]
    assert "accounts" not in told
    refreshing = world.introspect(members["refresh_token"], token_type_hint="access_token")
    assert (refreshing["active"], refreshing["sub"], refreshing["scope"]) == (True, "ada", "portal.orders:read")


@pytest.mark.rule("RFC 7662 §2.2", "Of a token that is unknown, expired, revoked or another's only that is told")
def test_of_every_other_token_nothing_is_told(world: World) -> None:
    of_app, of_web = world.signed_in("app"), world.signed_in("web")
    _, successor = world.refresh(of_web["refresh_token"], "web")
    spent = of_web["refresh_token"]
    for token in ("x", "a.b.c", of_app["access_token"], of_app["refresh_token"], spent):
        assert world.introspect(token) == INACTIVE
    world.revoke(successor["refresh_token"], "web")
    for token in (successor["refresh_token"], successor["access_token"], of_web["access_token"]):
        assert world.introspect(token) == INACTIVE
    expiring = world.granted("web")["access_token"]
    world.clock.advance(3_601)
    assert world.introspect(expiring) == INACTIVE


def test_the_governance_scope_sees_all(world: World) -> None:
    assert world.introspect(world.signed_in("app")["access_token"], "watch")["sub"] == "ada"


@pytest.mark.rule("RFC 7662 §2.1", "Who asks about a token says who it is")
def test_nobody_else_is_told(world: World) -> None:
    token = world.signed_in("app")["access_token"]
    assert world.answered("app", {"token": token}, to="introspect")[0] == 401
    assert world.ask({"token": token}, to="introspect").status == 401
    assert world.ask({"token": token}, basic("web", "wrong"), to="introspect").status == 401
    answer = world.ask({}, basic("web", "correct horse battery"), to="introspect")
    assert answer.status == 400
    assert dict(answer.headers)[b"cache-control"] == b"no-store"


@pytest.mark.rule("RFC 7009 §2.1", "Revoking a refresh token ends the grant with all its tokens")
def test_revoking_a_refresh_token_ends_the_grant(world: World) -> None:
    members = world.signed_in()
    world.principal(members["access_token"])
    assert world.revoke(members["refresh_token"]) == (200, {})
    assert world.refresh(members["refresh_token"])[1]["error"] == "invalid_grant"
    with pytest.raises(BadToken, match="revoked"):
        world.principal(members["access_token"])


@pytest.mark.rule("RFC 7009 §2.1", "Revoking an access token ends it at once")
def test_revoking_an_access_token_ends_it_alone(world: World) -> None:
    members, other = world.signed_in(), world.granted("web")["access_token"]
    world.principal(members["access_token"])
    world.revoke(members["access_token"], token_type_hint="refresh_token")
    with pytest.raises(BadToken, match="revoked"):
        world.principal(members["access_token"])
    assert world.principal(other).client_id == "web"
    assert world.refresh(members["refresh_token"])[0] == 200


@pytest.mark.rule("RFC 7009 §2.2", "Revoking what is unknown or has ended is no error")
def test_revoking_what_is_unknown_is_no_error(world: World) -> None:
    token = world.signed_in()["access_token"]
    assert [world.revoke(one)[0] for one in ("x", token, token)] == [200, 200, 200]


@pytest.mark.rule("RFC 7009 §2.1", "A client revokes its own tokens only")
def test_another_clients_token_is_not_revoked(world: World) -> None:
    members = world.signed_in("app")
    for token in (members["access_token"], members["refresh_token"]):
        assert world.revoke(token, "web")[1]["error"] == "invalid_grant"
    assert world.principal(members["access_token"]).subject == "ada"
    assert world.ask({"token": members["access_token"]}, to="revoke").status == 401


# Other processes


def test_other_processes_refuse_it_after_their_next_look(world: World) -> None:
    another = world.another()
    token = world.signed_in()["access_token"]
    another.principal(token)  # verified, and remembered
    world.revoke(token)
    asyncio.run(another.issuer.revocations.look())
    with pytest.raises(BadToken, match="revoked"):
        another.principal(token)


def test_a_process_that_starts_later_knows_it(world: World) -> None:
    token = world.signed_in()["access_token"]
    world.revoke(token)
    world.clock.advance(1_000)
    another = world.another()
    asyncio.run(another.issuer.revocations.look())
    with pytest.raises(BadToken, match="revoked"):
        another.principal(token)


@pytest.mark.anyio
async def test_a_running_process_looks_again_and_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(tmp_path)
    database.adopt(MIGRATIONS)
    await database.start()
    here = Grants(database, SystemClock(), 60)
    keys = KeyRing(tmp_path / "issuer.json", SystemClock())
    there = Revocations(Grants(database, SystemClock(), 60), keys, look_s=0.01)
    await there.start()
    told = asyncio.Event()
    there.changed.append(told.set)
    await asyncio.to_thread(here.revoke_token, "stolen", SystemClock().now().timestamp() + 60)
    await asyncio.wait_for(told.wait(), 30)
    assert there.revokes({"jti": "stolen"})
    assert there.revokes({"jti": "made from it", "revoked_with": ["stolen"]})
    assert not there.revokes({"jti": "another"})
    with caplog.at_level(logging.WARNING, logger="tiergate.issuer"):
        await database.stop()
        while "can't be read" not in caplog.text:
            await asyncio.sleep(0.005)
    assert there.revokes({"jti": "stolen"})
    await there.stop()


def test_what_has_expired_is_forgotten(world: World) -> None:
    token = world.signed_in()["access_token"]
    world.revoke(token)
    claims = world.issuer.tokens.read(token)
    assert claims is not None
    assert world.issuer.revocations.revokes(claims)
    world.clock.advance(4_000)
    asyncio.run(world.issuer.revocations.look())
    assert not world.issuer.revocations.revokes(claims)
    world.code()
    kept = world.database.read_here(lambda one: one.exec_driver_sql("SELECT count(*) FROM issuer_revoked").scalar())
    assert kept == 0
