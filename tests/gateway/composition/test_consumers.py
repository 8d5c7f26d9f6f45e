"""New settings for a running gateway: clients, users and plans are taken over together or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.composition.consumers import consumers_of, reloading
from gateway.composition.users import users_of
from gateway.settings import Issuer, Settings, SettingsError
from governance.consumers import ScopeCatalogue, hash_secret

CATALOGUE = ScopeCatalogue({"portal.orders:read": {"experience"}, "portal.orders:write": {"experience"}})
PASSWORD = hash_secret("a password of Eve's")


def settings(**sections: Any) -> Settings:
    return Settings(home=Path("/unused"), issuer=Issuer(demo_clients=False), **sections)


BEFORE = settings(
    consumers={"shop": {"role": "reader"}},
    users={"eve": {"password": PASSWORD, "role": "reader"}},
    roles={"reader": {"scopes": ["portal.orders:read"]}},
)


def test_a_role_changes_for_its_clients_and_users_together() -> None:
    consumers, users = consumers_of(BEFORE, (), CATALOGUE), users_of(BEFORE, CATALOGUE)
    examine = reloading(consumers, users, (), CATALOGUE)
    wider = {"reader": {"scopes": ["portal.orders:read", "portal.orders:write"]}}
    apply = examine(settings(consumers=BEFORE.consumers, users=BEFORE.users, roles=wider))
    shop, eve = consumers.get("shop"), users.get("eve")
    assert shop is not None and eve is not None
    assert shop.scopes == eve.scopes == {"portal.orders:read"}
    apply()
    shop, eve = consumers.get("shop"), users.get("eve")
    assert shop is not None and eve is not None
    assert shop.scopes == eve.scopes == {"portal.orders:read", "portal.orders:write"}


@pytest.mark.parametrize(
    "sections",
    [
        {"consumers": {"shop": {"plan": "gold"}}},
        {"users": {"eve": {"password": PASSWORD, "role": "writer"}}},
        {"plans": {"gold": {"experience": "fast"}}},
        {"roles": {"reader": {"scope": []}}},
    ],
)
def test_what_can_not_be_used_is_refused_before_anything_changes(sections: Any) -> None:
    consumers, users = consumers_of(BEFORE, (), CATALOGUE), users_of(BEFORE, CATALOGUE)
    with pytest.raises(SettingsError):
        reloading(consumers, users, (), CATALOGUE)(settings(**sections))
    assert [consumer.client_id for consumer in consumers] == ["shop"]
    assert users.get("eve") is not None
