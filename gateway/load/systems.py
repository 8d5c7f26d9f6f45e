"""The ERP and the CRM as ``tiergate load`` reaches them: the gateway's own system tier, without its server.

The calls go through the same bindings and policies as everybody's, as a caller that sees every
account. Where the system tier runs elsewhere (``[placement]``), they go there. A gateway that runs
on the same home is joined, not disturbed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from gateway.app import build
from gateway.settings import Settings
from governance.bindings.assembly import Assembly
from governance.call import Accounts, Call, Clock, Principal, enter, leave
from governance.contract import operation_of
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1

LOADER = Principal(subject="load", client_id="gateway", accounts=Accounts(reach="all"))
ERP_NEEDS = (
    ErpV1.get_product, ErpV1.put_product, ErpV1.get_availability, ErpV1.put_stock, ErpV1.get_terms, ErpV1.put_terms,
)  # fmt: skip
CRM_NEEDS = (CrmV1.get_account, CrmV1.put_account)


@asynccontextmanager
async def systems(settings: Settings, clock: Clock) -> AsyncGenerator[tuple[ErpV1, CrmV1]]:
    """The two contracts while the block runs.

    Raises:
        SettingsError, ContractError: the gateway itself would not start either.
    """
    tiers = tuple(tier for tier in settings.gateway.tiers if tier == "system")
    application = build(replace(settings, gateway=replace(settings.gateway, tiers=tiers)), clock)
    try:
        async with application.lifespan():
            token = enter(Call(principal=LOADER, operation_id="gateway.load"))
            try:
                yield contracts(application.state.assembly)
            finally:
                leave(token)
    except ExceptionGroup as group:  # Litestar's lifespan is a task group, which wraps what ends it
        raise _alone(group) from None


def _alone(group: ExceptionGroup[Exception]) -> Exception:
    return group.exceptions[0] if len(group.exceptions) == 1 else group


def contracts(assembly: Assembly) -> tuple[ErpV1, CrmV1]:
    """What a load calls, and nothing else of the two contracts."""
    erp: ErpV1 = assembly.stub("gateway", ErpV1, [operation_of(method) for method in ERP_NEEDS])
    crm: CrmV1 = assembly.stub("gateway", CrmV1, [operation_of(method) for method in CRM_NEEDS])
    return erp, crm
