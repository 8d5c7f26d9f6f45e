"""The consumers of a gateway with their plans, as its settings declare them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.composition.plans import plans_of
from gateway.composition.users import users_of
from gateway.settings import Settings, SettingsError, read_section
from governance.consumers import ConsumerError, Consumers, Role, ScopeCatalogue, demo_consumers, load_consumers
from governance.consumers.registry import DEFAULT_PLAN
from governance.contract import Operation
from governance.issuer import Users


def consumers_of(settings: Settings, operations: Iterable[Operation], catalogue: ScopeCatalogue) -> Consumers:
    """Everything that ``[consumers]``, ``[roles]`` and ``[plans]`` say under these contracts.

    Raises:
        ConsumerError: a consumer or the demo clients can't be used.
        SettingsError: a role or plan can't be used.
    """
    roles = {
        name: read_section(table, Role, file=settings.file_name, path=f"roles.{name}")
        for name, table in settings.roles.items()
    }
    plans = plans_of(settings, {operation.id for operation in operations})
    declared = load_consumers(
        settings.consumers,
        catalogue,
        settings.secret,
        roles=roles,
        plans=frozenset({DEFAULT_PLAN, *(plan.name for plan in plans)}),
    )
    demo = ()
    if settings.demo_clients:
        demo = demo_consumers(catalogue, embedded_issuer=settings.embedded_issuer, loopback=settings.on_loopback)
    return Consumers((*declared, *demo), plans)


def reloading(
    consumers: Consumers, users: Users, operations: Iterable[Operation], catalogue: ScopeCatalogue
) -> Callable[[Settings], Callable[[], None]]:
    """What takes new settings over while the gateway runs: examines them at once, applies them when told to.

    The function it returns raises ``SettingsError`` where they can't be used; what that returns never raises.
    """
    operations = tuple(operations)

    def examine(settings: Settings) -> Callable[[], None]:
        try:
            clients, people = consumers_of(settings, operations, catalogue), users_of(settings, catalogue)
        except ConsumerError as error:
            raise SettingsError(str(error).splitlines()) from error

        def apply() -> None:
            consumers.become(clients)
            users.become(people)

        return apply

    return examine
