"""``[users.<name>]`` of tiergate.toml: people who can sign in, and what they may do.

Only scrypt hashes of passwords are kept, made by ``tiergate users hash``. An unknown name costs as
much time as a wrong password.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from governance.call import ACCOUNT_ID
from governance.consumers import ConsumerError, Role, ScopeCatalogue, Secret
from governance.consumers.secrets import PREFIX

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
DEMO_USER, DEMO_PASSWORD = "ada", "ada-secret"
"""Public, and there on loopback only."""
NOBODY = Secret.hashed(f"{PREFIX}16384:8:1:{b64encode(bytes(16)).decode()}:{b64encode(bytes(32)).decode()}")
"""The hash of no password."""


class User(Struct, frozen=True, kw_only=True):
    """One person, checked and with the role resolved."""

    username: str
    name: str
    password: Secret
    scopes: frozenset[str] = frozenset()
    accounts: tuple[str, ...] = ()
    account_reach: Literal["own", "subtree", "all"] = "own"


class DeclaredUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table as it is written."""

    password: str
    """``scrypt:…``, as ``tiergate users hash`` prints it."""
    name: str = ""
    role: str = ""
    scopes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    account_reach: Literal["own", "subtree", "all"] = "own"


class Users:
    """Everybody who can sign in."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users = {user.username: user for user in users}

    def get(self, username: str) -> User | None:
        """The user of this name, or None."""
        return self._users.get(username)

    def become(self, others: Users) -> None:
        """Know whom ``others`` knows, from the next look-up on."""
        self._users = others._users

    def sign_in(self, username: str, password: str) -> User | None:
        """The user whose password this is, or None; some 50 ms of CPU either way."""
        user = self._users.get(username)
        matches = (user.password if user else NOBODY).matches(password)
        return user if user is not None and matches else None


def load_users(
    tables: Mapping[str, Any], catalogue: ScopeCatalogue, roles: Mapping[str, Role] | None = None
) -> tuple[User, ...]:
    """The users that ``tables`` (name to its decoded table) declare.

    Raises:
        ConsumerError: the first thing that is wrong.
    """
    return tuple(_user(username, table, catalogue, roles or {}) for username, table in tables.items())


def demo_users(catalogue: ScopeCatalogue, role: Role, *, embedded_issuer: bool, loopback: bool) -> tuple[User, ...]:
    """The demo user, whose password is public knowledge: exists exactly where the demo clients do.

    Raises:
        ConsumerError: the gateway listens beyond loopback, or another issuer is in use.
    """
    if not (embedded_issuer and loopback):
        raise ConsumerError("The demo user has a public password: bind to 127.0.0.1, or declare [users] instead.")
    return (
        User(
            username=DEMO_USER,
            name="Ada of ACME (demo)",
            password=Secret.known(DEMO_PASSWORD),
            scopes=role.resolve(catalogue),
            accounts=("ACME",),
        ),
    )


def _user(username: str, table: Any, catalogue: ScopeCatalogue, roles: Mapping[str, Role]) -> User:
    where = f"[users.{username}]"
    if not USERNAME.fullmatch(username):
        raise ConsumerError(f"{where}: a name has up to 64 letters, digits, dots, dashes and at signs.")
    try:
        declared = msgspec.convert(table, DeclaredUser)
    except msgspec.ValidationError as error:
        raise ConsumerError(f"{where}: {error}.") from error
    if not declared.password.startswith(PREFIX):
        raise ConsumerError(
            f"{where}: a password is never written here; write the hash that `tiergate users hash` prints."
        )
    for account in declared.accounts:
        if not re.fullmatch(ACCOUNT_ID, account):
            raise ConsumerError(f"{where}: {account!r} is no account id: letters, digits, dots, dashes, up to 40.")
    return User(
        username=username,
        name=declared.name or username,
        password=Secret.hashed(declared.password),
        scopes=_scopes(where, declared, catalogue, roles),
        accounts=declared.accounts,
        account_reach=declared.account_reach,
    )


def _scopes(where: str, declared: DeclaredUser, catalogue: ScopeCatalogue, roles: Mapping[str, Role]) -> frozenset[str]:
    scopes = frozenset(declared.scopes)
    if declared.role:
        if declared.role not in roles:
            raise ConsumerError(f"{where}: role {declared.role!r} does not exist; write it, or scopes.")
        scopes |= roles[declared.role].resolve(catalogue)
    unknown = sorted(scopes - catalogue.keys())
    if unknown:
        raise ConsumerError(f"{where}: no operation demands the scope {unknown[0]!r}; see `tiergate apis`.")
    return scopes
