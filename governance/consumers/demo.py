"""The demo clients of the quick start: in code only, on loopback only, with the embedded issuer only.

Their secrets are public knowledge (``<client-id>-secret``), so anything that could be reached from
elsewhere, or that trusts another issuer, refuses to start with them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from governance.consumers.catalogue import ScopeCatalogue
from governance.consumers.consumer import Consumer
from governance.consumers.errors import ConsumerError
from governance.consumers.roles import Role, Selection
from governance.consumers.secrets import Secret


class DemoClient(Struct, frozen=True, kw_only=True):
    """One demo client before its role is resolved."""

    client_id: str
    name: str
    role: Role
    accounts: tuple[str, ...] = ()
    account_reach: Literal["own", "all"] = "own"
    redirect_uris: tuple[str, ...] = ()
    """Where it may sign users in from; on loopback at any port."""


PORTAL = Role(select=(Selection(tier="experience", api="portal"),))

DEMO_CLIENTS = (
    DemoClient(
        client_id="portal-demo",
        name="Portal of ACME (demo)",
        role=PORTAL,
        accounts=("ACME",),
        redirect_uris=("http://127.0.0.1/signed-in", "http://[::1]/signed-in"),
    ),
    DemoClient(client_id="portal-demo-2", name="Portal of GLOBEX (demo)", role=PORTAL, accounts=("GLOBEX",)),
    DemoClient(
        client_id="partner-demo",
        name="Partner of ACME (demo)",
        role=Role(select=(Selection(tier="experience", api="partner"),)),
        accounts=("ACME",),
    ),
    DemoClient(
        client_id="platform-demo",
        name="Platform team (demo)",
        role=Role(select=(Selection(tier="governance"), Selection(tier="process", action="read"))),
        account_reach="all",
    ),
    DemoClient(
        client_id="operations-demo",
        name="Operations desk (demo)",
        role=Role(
            select=(
                Selection(tier="governance"),
                Selection(tier="process", action="read"),
                Selection(tier="process", api="exceptions"),
            )
        ),
        account_reach="all",
    ),
    DemoClient(
        client_id="system-demo",
        name="Systems integration (demo)",
        role=Role(select=(Selection(tier="system"),)),
        account_reach="all",
    ),
)


def demo_consumers(catalogue: ScopeCatalogue, *, embedded_issuer: bool, loopback: bool) -> tuple[Consumer, ...]:
    """The demo clients with the scopes that their roles have under these contracts.

    Raises:
        ConsumerError: the gateway listens beyond loopback, or another issuer is in use.
    """
    if not embedded_issuer:
        raise ConsumerError("Demo clients exist only with the embedded issuer: switch them off beside another issuer.")
    if not loopback:
        raise ConsumerError("Demo clients have public secrets: bind to 127.0.0.1, or declare [consumers] instead.")
    return tuple(
        Consumer(
            client_id=client.client_id,
            name=client.name,
            contact="demo@tiergate.invalid",
            secrets=(Secret.known(demo_secret(client.client_id)),),
            redirect_uris=client.redirect_uris,
            scopes=client.role.resolve(catalogue),
            accounts=client.accounts,
            account_reach=client.account_reach,
        )
        for client in DEMO_CLIENTS
    )


def demo_secret(client_id: str) -> str:
    """The secret of a demo client, as the quick start prints it."""
    return f"{client_id}-secret"
