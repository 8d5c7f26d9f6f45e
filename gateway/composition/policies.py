"""Policies: every folder under governance/policies, with its settings from tiergate.toml."""

from __future__ import annotations

from gateway.composition.injection import Resources, made
from gateway.settings import Settings, SettingsError, read_section
from governance.call import Policy
from governance.contract.discovery import discover_policies
from governance.contract.errors import ContractError
from governance.contract.operation import Operation


def policies(settings: Settings, resources: Resources) -> tuple[Policy, ...]:
    """Every policy, by name.

    Raises:
        SettingsError: ``[policies.<name>]`` is no policy, or breaks that policy's bounds.
    """
    file = settings.config.name if settings.config else "tiergate.toml"
    found: list[Policy] = []
    known: set[str] = set()
    for module in discover_policies():
        name: str = module.Enforcement.name
        known.add(name)
        own = read_section(settings.policies.get(name, {}), module.Settings, file=file, path=f"policies.{name}")
        found.append(made(module.Enforcement, {**resources, module.Settings: own}))
    unknown = sorted(set(settings.policies) - known)
    if unknown:
        raise SettingsError(
            [f"{file}: policies.{name} is no policy; there are {', '.join(sorted(known))}." for name in unknown]
        )
    return tuple(sorted(found, key=lambda policy: (policy.stage, policy.position, policy.name)))


def audited(found: tuple[Policy, ...], operations: tuple[Operation, ...]) -> None:
    """Refuse to start with a declaration that a policy can't enforce.

    Raises:
        ContractError: every finding of severity error, one a line.
    """
    findings = [one for policy in found for operation in operations for one in policy.audit(operation)]
    errors = [f"{one.id} {one.operation_id}: {one.detail}" for one in findings if one.severity == "error"]
    if errors:
        raise ContractError("\n".join(errors))
