"""``[plans.<name>]`` of tiergate.toml: rates and quotas as they are spelled, into what is enforced."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.settings import Settings, SettingsError, Tier, read_section
from governance.consumers import Plan
from governance.policies.rate_limit import Quota, RateLimit
from governance.policies.rate_limit.quota import MOST

Rate = Annotated[str, Meta(description="a rate such as '600/60s burst 100'")]
Amount = Annotated[int, Meta(ge=1, le=MOST, description=f"a whole number from 1 to {MOST}")]


class DeclaredPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table as it is written; what is left out is as ``[policies.rate_limit]`` and the contracts say."""

    experience: Rate = ""
    process: Rate = ""
    system: Rate = ""
    operations: Mapping[str, Rate] = {}
    """Operation id to a rate of its own, beside that of its tier."""
    quota_day: Amount | Mapping[Tier, Amount] = {}
    """What may be spent in a calendar day: on all tiers together, or on each."""
    quota_month: Amount | Mapping[Tier, Amount] = {}
    quota_zone: Annotated[str, Meta(min_length=1, description="an IANA time zone")] = "UTC"
    """Where days and months begin."""


def plans_of(settings: Settings, operation_ids: Collection[str]) -> tuple[Plan, ...]:
    """The plans that ``settings`` declares.

    Raises:
        SettingsError: every rate, quota and operation that is wrong, one sentence each.
    """
    found: list[Plan] = []
    violations: list[str] = []
    for name, table in settings.plans.items():
        try:
            found.append(_plan(settings.file_name, name, table, operation_ids))
        except SettingsError as error:
            violations += error.violations
    if violations:
        raise SettingsError(violations)
    return tuple(found)


def _plan(file: str, name: str, table: Mapping[str, object], operation_ids: Collection[str]) -> Plan:
    path = f"plans.{name}"
    declared = read_section(table, DeclaredPlan, file=file, path=path)
    violations = [
        f"{file}: {path}.operations: {_no_operation(operation_id, operation_ids)}"
        for operation_id in declared.operations
        if operation_id not in operation_ids
    ]
    written: dict[Tier, str] = {
        "experience": declared.experience, "process": declared.process, "system": declared.system,
    }  # fmt: skip
    rates: dict[Tier, RateLimit] = {
        tier: _rate(f"{file}: {path}.{tier}", text, violations) for tier, text in written.items() if text
    }
    own = {
        operation: _rate(f"{file}: {path}.operations.{operation}", text, violations)
        for operation, text in declared.operations.items()
    }
    quotas: tuple[Quota, ...] = ()
    try:
        quotas = tuple(_quotas(declared))
    except ValueError as error:
        violations.append(f"{file}: {path}.quota_zone: {error}.")
    if violations:
        raise SettingsError(violations)
    return Plan(name=name, rates=rates, operations=own, quotas=quotas)


def _rate(where: str, text: str, violations: list[str]) -> RateLimit:
    try:
        return RateLimit.parse(text)
    except ValueError as error:
        violations.append(f"{where}: {error}.")
        return RateLimit(1, 1)  # never used: the plan is refused


def _quotas(declared: DeclaredPlan) -> Iterator[Quota]:
    periods: tuple[tuple[Literal["day", "month"], int | Mapping[Tier, int]], ...] = (
        ("day", declared.quota_day), ("month", declared.quota_month),
    )  # fmt: skip
    for period, amount in periods:
        if isinstance(amount, int):
            yield Quota(amount, period, declared.quota_zone)
        else:
            for tier, each in amount.items():
                yield Quota(each, period, declared.quota_zone, tier)


def _no_operation(operation_id: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(operation_id, known, n=1)
    return f"{operation_id} is no operation; " + (f"did you mean {close[0]}?" if close else "see `tiergate apis`.")
