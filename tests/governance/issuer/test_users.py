"""``[users.<name>]``: what may stand there, and what must not."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from issuer_world import CATALOGUE, PASSWORD, World

from governance.consumers import ConsumerError, Role, Selection, hash_secret
from governance.issuer import Users, demo_users, load_users
from governance.issuer.tables import MIGRATIONS, metadata
from governance.issuer.users import DEMO_PASSWORD, DEMO_USER

HASH = hash_secret(PASSWORD)
ROLES = {"buyer": Role(select=(Selection(tier="experience", api="portal"),))}


def load(username: str = "ada", **table: Any) -> Any:
    return load_users({username: {"password": HASH, **table}}, CATALOGUE, ROLES)[0]


def test_a_user_signs_in_by_the_hash() -> None:
    users = Users([load(role="buyer", scopes=["erp.products:read"], accounts=["ACME"], account_reach="subtree")])
    ada = users.sign_in("ada", PASSWORD)
    assert ada is not None
    assert ada.scopes == {"portal.orders:read", "portal.orders:write", "erp.products:read"}
    assert (ada.name, ada.accounts, ada.account_reach) == ("ada", ("ACME",), "subtree")
    assert users.sign_in("ada", "wrong") is None
    assert users.sign_in("nobody", PASSWORD) is None
    assert PASSWORD not in repr(ada)


@pytest.mark.parametrize(
    ("username", "table", "sentence"),
    [
        ("a b", {}, "a name has up to 64"),
        ("ada", {"password": "in the clear"}, "a password is never written here"),
        ("ada", {"password": "env:ADA"}, "a password is never written here"),
        ("ada", {"password": "scrypt:1:1:1:x:y"}, "scrypt hash"),
        ("ada", {"password": 1}, "Expected `str`"),
        ("ada", {"role": "seller"}, "role 'seller' does not exist"),
        ("ada", {"scopes": ["portal.unknown:read"]}, "no operation demands the scope"),
        ("ada", {"accounts": ["A B"]}, "is no account id"),
        ("ada", {"shoe_size": 39}, "shoe_size"),
    ],
)
def test_what_is_wrong_is_one_sentence(username: str, table: Any, sentence: str) -> None:
    with pytest.raises(ConsumerError, match=sentence):
        load(username, **table)


def test_the_demo_user_exists_on_loopback_with_the_embedded_issuer_only() -> None:
    (demo,) = demo_users(CATALOGUE, ROLES["buyer"], embedded_issuer=True, loopback=True)
    assert Users([demo]).sign_in(DEMO_USER, DEMO_PASSWORD) is demo
    assert demo.accounts == ("ACME",)
    for embedded, loopback in ((False, True), (True, False)):
        with pytest.raises(ConsumerError, match="public password"):
            demo_users(CATALOGUE, ROLES["buyer"], embedded_issuer=embedded, loopback=loopback)


def test_the_migrations_make_the_tables_that_the_code_uses(world: World) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"version_table": MIGRATIONS.version_table})
        return compare_metadata(context, metadata)

    assert world.database.read_here(differences) == []
