"""A page for each problem type: the address that stands in ``type`` (RFC 9457 §3.1.1)."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from governance.call.policy import Policy
from governance.contract import refusals
from governance.contract.operation import Api, Operation
from governance.contract.problems import Problem
from governance.openapi import wire
from governance.openapi.catalog import docs_path
from governance.openapi.schemas import markdown
from governance.pages import code, page, prose, table, tag

Answering = tuple[Api, Operation]


def problems_in_use(apis: Iterable[Api], policies: Iterable[Policy]) -> dict[type[Problem], tuple[Answering, ...]]:
    """Every problem type of the gateway and of these APIs, with the operations that answer with it."""
    policies = tuple(policies)
    found: dict[type[Problem], list[Answering]] = {problem: [] for problem in _classes(refusals)}
    for api in apis:
        for operation in api.operations:
            parts = (wire.documented(operation), *(policy.document(operation) for policy in policies))
            for problem in {*operation.raises, *(one for part in parts for one in part.problems)}:
                found.setdefault(problem, []).append((api, operation))
    by_type = sorted(found, key=lambda problem: problem.type)
    return {problem: tuple(sorted(found[problem], key=lambda one: one[1].id)) for problem in by_type}


def problem_path(problem: type[Problem]) -> str:
    """The address of a problem type."""
    return f"/problems/{problem.type}"


def meaning(problem: type[Problem]) -> str:
    """What the problem's docstring says."""
    return markdown(inspect.cleandoc(problem.__doc__ or ""))


def problem_page(problem: type[Problem], answering: Iterable[Answering]) -> bytes:
    """The page of a problem type, for people."""
    rows = [
        (tag("a", code(operation.id), href=f"{docs_path(api)}#{operation.name}"), operation.summary)
        for api, operation in answering
    ]
    facts = {
        "Status": str(problem.status),
        "Type": code(problem_path(problem)),
        "Worth a retry": "Yes, later and unchanged." if problem.retryable else "No: something must change first.",
    }
    if members := problem.members_type.__struct_fields__:
        facts["Members"] = ", ".join(members)
    return page(
        problem.title,
        prose(meaning(problem)),
        tag("dl", *(part for term, fact in facts.items() for part in (tag("dt", term), tag("dd", fact)))),
        *([tag("h2", "Who answers with it"), table("Operations", ("Operation", "What it does"), rows)] if rows else []),
        trail=(("/problems", "Problems"),),
    )


def problem_index(in_use: Mapping[type[Problem], tuple[Answering, ...]]) -> bytes:
    """The list of all problem types, for people."""
    rows = [
        (tag("a", code(problem.type), href=problem_path(problem)), str(problem.status), problem.title)
        for problem in in_use
    ]
    lead = "Every refusal is a problem of one of these types (RFC 9457). Read its `type`, never its text."
    return page("Problems", prose(lead), table("Problem types", ("Type", "Status", "Title"), rows))


def problem_facts(problem: type[Problem], answering: Iterable[Answering]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "type": problem_path(problem),
        "title": problem.title,
        "status": problem.status,
        "retryable": problem.retryable,
        "meaning": meaning(problem),
        "members": list(problem.members_type.__struct_fields__),
        "operations": [operation.id for _, operation in answering],
    }


def _classes(module: ModuleType) -> list[type[Problem]]:
    return [
        one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, Problem) and one is not Problem
    ]
