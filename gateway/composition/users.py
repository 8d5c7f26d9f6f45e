"""The people who can sign in at the embedded issuer, as the settings declare them."""

from __future__ import annotations

from gateway.settings import Settings, read_section
from governance.consumers import Role, ScopeCatalogue
from governance.consumers.demo import PORTAL
from governance.issuer import Users, demo_users, load_users


def users_of(settings: Settings, catalogue: ScopeCatalogue) -> Users:
    """Everything that ``[users]`` says under these contracts, and the demo user where there are demo clients.

    Raises:
        ConsumerError: a user can't be used.
        SettingsError: a role can't be used.
    """
    roles = {
        name: read_section(table, Role, file=settings.file_name, path=f"roles.{name}")
        for name, table in settings.roles.items()
    }
    declared = load_users(settings.users, catalogue, roles)
    demo = ()
    if settings.demo_clients:
        demo = demo_users(catalogue, PORTAL, embedded_issuer=settings.embedded_issuer, loopback=settings.on_loopback)
    return Users((*demo, *declared))
