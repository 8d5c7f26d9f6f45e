"""The account hierarchy, asked of CRM, for principals that see their whole subtree."""

from __future__ import annotations

from governance.bindings.assembly import Assembly
from governance.call import Accounts, Call, Principal, enter, leave
from governance.contract import operation_of
from system_apis.crm.v1.contract import CrmV1

GATEWAY = Principal(subject="gateway", client_id="gateway", accounts=Accounts(reach="all"))


class CrmAccountDirectory:
    """Answers from the CRM API, wherever it runs. Bound after the APIs are assembled."""

    def __init__(self) -> None:
        self._crm: CrmV1 | None = None

    def bind(self, assembly: Assembly) -> None:
        """Use the CRM API of this assembly."""
        self._crm = assembly.stub("gateway", CrmV1, (operation_of(CrmV1.get_subtree),))

    async def subtree(self, account_id: str) -> frozenset[str]:
        """The account and every account below it."""
        if self._crm is None:
            raise RuntimeError("the account directory is not bound yet")
        token = enter(Call(principal=GATEWAY, operation_id="gateway.account_directory"))
        try:
            tree = await self._crm.get_subtree(account_id)
        finally:
            leave(token)
        return frozenset(tree.account_ids)
