"""Signing keys over their lives: published before they sign, and until their last token ends."""

from __future__ import annotations

import asyncio
import logging
import os

import msgspec
import pytest
from issuer_world import World

from governance.identity import BadToken
from governance.issuer import KeyRing

LIFETIME_S = 3_600


def published(world: World) -> list[str]:
    return [key["kid"] for key in world.issuer.jwks()["keys"]]


def test_a_new_key_is_published_before_it_signs(world: World) -> None:
    first = world.keys.signing().kid
    old = world.granted()["access_token"]
    new = world.keys.rotate(publication_s=600, token_lifetime_s=LIFETIME_S)
    assert published(world) == [first, new.kid]
    assert world.keys.signing().kid == first
    world.clock.advance(600)
    assert world.keys.signing().kid == new.kid
    assert world.principal(old).client_id == "shop"
    assert world.principal(world.granted()["access_token"]).client_id == "shop"


def test_the_former_key_stays_until_its_last_token_has_ended(world: World) -> None:
    first = world.keys.signing().kid
    world.keys.rotate(publication_s=600, token_lifetime_s=LIFETIME_S)
    world.clock.advance(599)
    last = world.granted()["access_token"]
    world.clock.advance(LIFETIME_S - 1)
    assert first in published(world)
    assert world.principal(last).client_id == "shop"
    world.clock.advance(100)
    assert first not in published(world)


def test_running_processes_take_it_up(world: World) -> None:
    another = world.another()
    token = another.granted()["access_token"]
    new = KeyRing(world.home / "issuer.json", world.clock).rotate(publication_s=0, token_lifetime_s=LIFETIME_S)
    world.clock.advance(2)
    assert another.keys.signing().kid == world.keys.signing().kid == new.kid
    assert world.principal(token).client_id == "shop"
    assert world.principal(another.granted()["access_token"]).client_id == "shop"


def test_a_compromised_key_signs_and_proves_nothing_more(world: World) -> None:
    old = world.granted()["access_token"]
    new = KeyRing(world.home / "issuer.json", world.clock).replace()
    world.clock.advance(2)
    assert published(world) == [new.kid]
    with pytest.raises(BadToken, match="does not publish"):
        world.principal(old)
    assert world.principal(world.granted()["access_token"]).client_id == "shop"


def test_what_the_compromised_key_proved_before_is_verified_anew(world: World) -> None:
    old = world.granted()["access_token"]
    assert world.principal(old).client_id == "shop"  # remembered
    KeyRing(world.home / "issuer.json", world.clock).replace()
    world.clock.advance(2)
    asyncio.run(world.issuer.revocations.look())
    with pytest.raises(BadToken, match="does not publish"):
        world.principal(old)


def test_several_rotations_do_not_lose_a_key(world: World) -> None:
    kids = [world.keys.signing().kid]
    kids += [world.keys.rotate(publication_s=60, token_lifetime_s=LIFETIME_S).kid for _ in range(3)]
    assert published(world) == kids


def test_the_file_stays_the_owners_and_says_no_more_than_it_must(world: World) -> None:
    world.keys.rotate(publication_s=600, token_lifetime_s=LIFETIME_S)
    file = world.home / "issuer.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [one for one in os.listdir(world.home) if one.startswith(".issuer.json.") and "lock" not in one]
    assert all(key.keys() == {"kty", "crv", "x", "kid", "use", "alg"} for key in world.issuer.jwks()["keys"])


@pytest.mark.parametrize("content", [b"", b"{}", b"no key file"])
def test_a_file_that_can_not_be_read_changes_nothing(
    world: World, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    token = world.granted()["access_token"]
    (world.home / "issuer.json").write_bytes(content)
    world.clock.advance(2)
    with caplog.at_level(logging.WARNING, logger="tiergate.issuer"):
        assert world.principal(token).client_id == "shop"
        assert world.granted()["access_token"]
    assert "The keys stay as they are" in caplog.text


def test_a_file_that_is_gone_is_not_made_anew(world: World) -> None:
    (world.home / "issuer.json").unlink()
    world.clock.advance(2)
    assert world.granted()["access_token"]
    assert not (world.home / "issuer.json").exists()


def test_a_key_file_from_before_rotation_is_used(world: World) -> None:
    keys = msgspec.json.decode((world.home / "issuer.json").read_bytes())["keys"]
    assert "signs_from" not in keys[0]
    assert world.keys.signing().kid == keys[0]["kid"]
