"""The gateway with faults planted in it, to be served in place of the whole one."""

from __future__ import annotations

from gateway.app import create_app as whole
from gateway.composition.application import Tiergate
from gateway.settings import Settings
from governance.call import Binding, Wrap
from governance.contract import Operation
from governance.policies.scopes import Enforcement

OPEN = "portal.v1.get_account"
"""The operation whose scope nobody asks for."""


def create_app(settings: Settings | None = None) -> Tiergate:
    """The gateway of the settings here, with one operation open to every token."""
    enforce = Enforcement.enforce

    def forgetful(self: Enforcement, operation: Operation, binding: Binding) -> Wrap | None:
        return None if operation.id == OPEN else enforce(self, operation, binding)

    Enforcement.enforce = forgetful  # type: ignore[method-assign]
    return whole(settings)
