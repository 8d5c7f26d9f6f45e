"""Lists that name no account keep to those that their user sees."""

from __future__ import annotations

import pytest

from governance.call import Accounts, Call, Principal
from governance.contract import Page
from tests.governance.policies.ownership.test_ownership import ACME, GROUP, Court, OrdersV1

pytestmark = pytest.mark.anyio


async def test_a_list_is_told_what_its_user_sees() -> None:
    court = Court()
    for accounts, listed in (
        (ACME, ("ACME",)),
        (Accounts(ids=("B", "A")), ("A", "B")),
        (Accounts(), ()),
        (GROUP, ("ACME", "ACME-DE", "EMEA", "GROUP")),
        (Accounts(ids=("EMEA", "NEW"), reach="subtree"), ("ACME-DE", "EMEA", "NEW")),
        (Accounts(reach="all"), None),
    ):
        await court.call(OrdersV1.list_orders, (None, 50, None), Page(()), accounts)
        assert court.listed == listed, accounts


def test_an_account_that_is_asked_for_is_the_only_one() -> None:
    principal = Principal(subject="u", client_id="c", accounts=Accounts(reach="all"))
    call = Call(principal=principal, operation_id="orders.v1.list_orders")
    assert call.listed_accounts("ACME") == ("ACME",)
    assert call.listed_accounts(None) is None
