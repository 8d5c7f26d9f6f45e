"""Each kind of token is wrong in exactly its one way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from governance.call import ManualClock
from governance.prove import ProbeTokens, TokenKind
from tests.governance.prove.sample_desk import GET


def claims(kind: TokenKind, accounts: tuple[str, ...] = ("ACME",)) -> dict[str, Any]:
    made: list[Mapping[str, Any]] = []

    def sign(given: Mapping[str, Any]) -> str:
        made.append(given)
        return "signed"

    tokens = ProbeTokens(sign=sign, issuer="http://gate", clock=ManualClock(), accounts=accounts)
    assert tokens.token(kind, GET) == "signed"
    return dict(made[0])


def test_the_good_one_opens_one_operation_of_one_tier() -> None:
    good = claims("valid")
    assert (good["aud"], good["scope"], good["accounts"]) == ("http://gate/system", "desks.desks:read", ("ACME",))
    assert good["account_reach"] == "own"
    assert good["exp"] - good["iat"] == 300


@pytest.mark.parametrize(
    ("kind", "differs"),
    [
        ("expired", {"iat", "exp", "jti"}),
        ("wrong-audience", {"aud", "jti"}),
        ("no-scope", {"scope", "jti"}),
        ("other-account", {"accounts", "jti"}),
    ],
)
def test_every_other_is_wrong_in_one_way(kind: TokenKind, differs: set[str]) -> None:
    good, wrong = claims("valid"), claims(kind)
    assert {name for name in good if good[name] != wrong[name]} == differs


def test_without_accounts_it_reaches_all() -> None:
    assert claims("valid", accounts=())["account_reach"] == "all"


def test_none_and_garbage_are_not_signed() -> None:
    def sign(_: Mapping[str, Any]) -> str:
        raise AssertionError("signed")

    tokens = ProbeTokens(sign=sign, issuer="http://gate", clock=ManualClock())
    assert tokens.token("none", GET) is None
    assert tokens.token("garbage", GET) == "not.a-token"
