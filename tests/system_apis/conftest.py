"""Every test of a system API runs inside a call of somebody who sees all accounts, as behind its bindings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.call import Accounts, Call, Principal, enter, leave


@pytest.fixture(autouse=True)
def call_under_way() -> Iterator[Call]:
    principal = Principal(subject="s", client_id="c", accounts=Accounts(reach="all"))
    call = Call(principal=principal, operation_id="tests.v1.any")
    token = enter(call)
    yield call
    leave(token)
