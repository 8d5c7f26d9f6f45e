"""``[consumers]`` of tiergate.toml: what is read, and one sentence for everything that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from governance.consumers import Consumer, ConsumerError, Role, ScopeCatalogue, Selection, hash_secret, load_consumers

CATALOGUE = ScopeCatalogue(
    {
        "portal.orders:read": {"experience"},
        "portal.orders:write": {"experience"},
        "erp.products:read": {"system"},
        "governance:read": {"governance"},
    }
)
SECRETS = {"env:SHOP": "0123456789abcdef", "file:shop": "fedcba9876543210", "env:SHORT": "short"}
ROLES = {"buyer": Role(select=(Selection(tier="experience", api="portal"),))}


def resolve(reference: str) -> str:
    if reference not in SECRETS:
        raise ValueError("it is not set")
    return SECRETS[reference]


def load(**table: Any) -> Consumer:
    return load_consumers({"shop": table}, CATALOGUE, resolve, roles=ROLES)[0]


def test_everything_that_can_be_said_is_read() -> None:
    shop = load(
        name="Web shop",
        contact="shop@example.com",
        secrets=["env:SHOP", "file:shop"],
        scopes=["erp.products:read"],
        accounts=["ACME"],
        account_reach="subtree",
        origins=["https://shop.example", "http://localhost:3000"],
    )
    assert (shop.client_id, shop.name, shop.contact, shop.plan) == ("shop", "Web shop", "shop@example.com", "default")
    assert shop.scopes == {"erp.products:read"}
    assert (shop.visible.ids, shop.visible.reach) == (("ACME",), "subtree")
    assert shop.knows("0123456789abcdef")
    assert shop.knows("fedcba9876543210")
    assert not shop.knows("env:SHOP")
    assert "0123" not in repr(shop)


def test_little_gives_little() -> None:
    shop = load()
    assert (shop.name, shop.scopes, shop.accounts, shop.account_reach) == ("shop", frozenset(), (), "own")
    assert not shop.knows("")


def test_a_hash_stands_in_for_the_secret() -> None:
    assert load(secrets=[hash_secret("correct horse battery")]).knows("correct horse battery")


def test_a_role_brings_its_scopes_beside_those_that_are_listed() -> None:
    shop = load(role="buyer", scopes=["erp.products:read"])
    assert shop.scopes == {"portal.orders:read", "portal.orders:write", "erp.products:read"}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"secrets": ["0123456789abcdef"]}, "a secret is never written here"),
        ({"secrets": ["env:MISSING"]}, "env:MISSING can't be read"),
        ({"secrets": ["env:SHORT"]}, "shorter than 16 characters"),
        ({"secrets": ["env:SHOP", "file:shop", "env:SHOP"]}, "at most 2 secrets"),
        ({"scopes": ["erp.products:reed"]}, "no operation demands the scope 'erp.products:reed'"),
        ({"scopes": ["erp.*"]}, "no operation demands the scope"),
        ({"role": "seller"}, "role 'seller' does not exist"),
        ({"plan": "gold"}, "plan 'gold' does not exist"),
        ({"origins": ["https://shop.example/"]}, "is no origin"),
        ({"origins": ["*"]}, "is no origin"),
        ({"origins": ["null"]}, "is no origin"),
        ({"origins": ["https://user@shop.example"]}, "is no origin"),
        ({"origins": ["https://Shop.example"]}, "is no origin"),
        ({"account_reach": "everything"}, "Invalid enum value 'everything'"),
        ({"scope": ["erp.products:read"]}, "unknown field `scope`"),
        ({"accounts": "ACME"}, "Expected `array`"),
        ({"accounts": ["ACME", "no id!"]}, "'no id!' is no account id"),
    ],
)
def test_every_mistake_is_one_sentence(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConsumerError) as refused:
        load(**table)
    assert str(refused.value).startswith("[consumers.shop]")
    assert sentence in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


@pytest.mark.parametrize("client_id", ["", "a b", "-a", "a:b", "ä", "a" * 65])
def test_a_client_id_is_plain(client_id: str) -> None:
    with pytest.raises(ConsumerError, match="a client id has"):
        load_consumers({client_id: {}}, CATALOGUE, resolve)


def test_audiences_narrow_a_role_and_contradict_a_written_scope() -> None:
    everything = {"all": Role(select=(Selection(tier="experience"), Selection(tier="system")))}
    table = {"role": "all", "audiences": ["experience"]}
    (shop,) = load_consumers({"shop": table}, CATALOGUE, resolve, roles=everything)
    assert shop.scopes == {"portal.orders:read", "portal.orders:write"}
    assert not shop.may_use("system")
    with pytest.raises(ConsumerError, match=r"'erp\.products:read' opens none of its audiences"):
        load(scopes=["erp.products:read"], audiences=["experience"])


def test_every_consumer_that_is_wrong_is_named() -> None:
    with pytest.raises(ConsumerError) as caught:
        load_consumers({"one": {"plan": "x"}, "two": {}, "three": {"role": "x"}}, CATALOGUE, resolve)
    first, second = str(caught.value).splitlines()
    assert first.startswith("[consumers.one]: plan 'x' does not exist")
    assert second.startswith("[consumers.three]: role 'x' does not exist")
