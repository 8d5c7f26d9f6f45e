"""The documentation for people: all APIs by tier, and one page for each API version.

Made from the same documents that machines read, so the two can't disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from governance.contract.operation import TIERS, Api, Operation
from governance.openapi.catalog import CATALOG_PATH, docs_path
from governance.openapi.export import document_path
from governance.openapi.schemas import markdown
from governance.openapi.type_words import REFERENCE, type_words
from governance.pages import Html, code, inline, join, page, prose, table, tag

Object = Mapping[str, Any]
TIER_WORDS = {
    "experience": "One audience each: this is what portals, apps and partners call.",
    "process": "Business processes over several systems.",
    "system": "One system of record each, in words that no vendor owns.",
}


def index_page(apis: Iterable[Api]) -> bytes:
    """All APIs by tier, those for callers outside first."""
    apis = tuple(apis)
    sections: list[str] = []
    for tier in reversed(TIERS):
        in_tier = [api for api in apis if api.tier == tier]
        if in_tier:
            sections.append(tag("h2", f"{tier.capitalize()} APIs", id=tier))
            sections.append(tag("p", TIER_WORDS[tier], class_="soft"))
            sections.extend(_card(api) for api in in_tier)
    lead = "Every API of this gateway, made from the contracts that it holds its callers and itself to."
    machines = tag("p", "For machines: ", tag("a", "API catalog", href=CATALOG_PATH), ". ", class_="soft")
    problems = tag("p", "When something is refused: ", tag("a", "problem types", href="/problems"), ".", class_="soft")
    return page("APIs", tag("p", lead, class_="lead"), machines, problems, *sections)


def api_page(api: Api, described: Object) -> bytes:
    """One API version: its operations with everything they take and answer, then its types."""
    operations = {operation.id: operation for operation in api.operations}
    bodies: list[str] = []
    for template, methods in described["paths"].items():
        for method, one in methods.items():
            bodies.append(_operation(operations[one["operationId"]], method, template, one, described))
    return page(
        f"{api.slug} v{api.version}",
        tag("div", prose(described["info"]["description"]), class_="lead"),
        _facts(
            {
                "Base path": code(api.prefix),
                "Owner": api.owner,
                "Lifecycle": api.lifecycle.stage,
                "OpenAPI": tag("a", "OpenAPI 3.1 document", href=f"/openapi/{document_path(api)}"),
            }
        ),
        tag("h2", "Operations"),
        _operation_list(api, ""),
        *bodies,
        tag("h2", "Types"),
        *(_type(name, schema) for name, schema in described["components"]["schemas"].items() if _shown(name)),
        trail=((f"/docs#{api.tier}", f"{api.tier.capitalize()} APIs"),),
    )


def _card(api: Api) -> Html:
    name = tag("a", f"{api.slug} v{api.version}", href=docs_path(api))
    note = "" if api.lifecycle.stage == "current" else f" · {api.lifecycle.stage}"
    owner = tag("p", f"{api.owner}{note}", class_="soft")
    return tag("article", tag("h3", name), prose(markdown(api.summary)), owner, _operation_list(api, docs_path(api)))


def _operation_list(api: Api, target: str) -> Html:
    items = [
        tag(
            "li",
            tag(
                "a",
                _method(operation.method),
                " ",
                _path(operation.path.removeprefix(api.prefix)),
                href=f"{target}#{operation.name}",
            ),
            tag("div", inline(markdown(operation.summary)), class_="soft"),
        )
        for operation in sorted(api.operations, key=lambda one: (one.path, one.method))
    ]
    return tag("ul", *items, class_="operations")


def _path(path: str) -> Html:
    """A path that breaks at its slashes on a narrow screen."""
    return tag("code", join(path.split("/"), Html("/<wbr>")))


def _method(method: str) -> Html:
    return tag("span", method.upper(), class_=f"method {method.lower()}")


def _operation(operation: Operation, method: str, template: str, one: Object, described: Object) -> Html:
    parts: list[str] = [
        tag("h3", _method(method), " ", _path(template)),
        prose(one["description"]),
        _facts(_terms(operation, one)),
    ]
    if parameters := one.get("parameters"):
        rows = [(_named(each["name"], each["required"]), each["in"], _described(each)) for each in parameters]
        parts.append(table("Parameters", ("Name", "In", "What"), rows))
    if body := one.get("requestBody"):
        parts.append(tag("p", "Body: ", type_words(body["content"]["application/json"]["schema"])))
    rows = [(code(status), _answer(response, described)) for status, response in one["responses"].items()]
    answers = table("Answers", ("Status", "What"), rows)
    parts.append(tag("details", tag("summary", f"{len(rows)} answers"), answers))
    return tag("article", *parts, id=operation.name)


def _terms(operation: Operation, one: Object) -> dict[str, str]:
    terms: dict[str, str] = {"Operation": code(operation.id), "Scope": code(operation.scope)}
    if operation.visibility.fields:
        terms["Visible"] = join(["to callers bound to its ", join(map(code, operation.visibility.fields), ", ")])
    else:
        terms["Public"] = operation.visibility.public_because
    if operation.keyed:
        terms["Repeats"] = join(["safe under one ", code("Idempotency-Key")])
    elif operation.unkeyed_because:
        terms["Repeats"] = operation.unkeyed_because
    return terms


def _facts(terms: Mapping[str, str]) -> Html:
    return tag("dl", *(part for term, fact in terms.items() for part in (tag("dt", term), tag("dd", fact))))


def _named(name: str, required: bool) -> Html:
    mark = tag("span", " required", class_="needed") if required else Html("")
    return join([code(name), mark])


def _described(parameter: Object) -> Html:
    schema: Object = parameter["schema"]
    default = join([", otherwise ", code(str(schema["default"]))]) if schema.get("default") is not None else Html("")
    note = parameter.get("description") or schema.get("description") or ""
    words = [inline(str(note)), " ", tag("span", type_words(schema), default, class_="soft")]
    return join(words)


def _answer(response: Object, described: Object) -> Html:
    if reference := response.get("$ref"):
        response = described["components"]["responses"][str(reference).rpartition("/")[2]]
    content: Object = response.get("content", {})
    if problem := content.get("application/problem+json"):
        return join((_problem(one, described) for one in problem["schema"].get("oneOf", [problem["schema"]])), ", ")
    if success := content.get("application/json"):
        return type_words(success["schema"])
    return inline(response["description"])


def _problem(reference: Object, described: Object) -> Html:
    schema = described["components"]["schemas"][str(reference["$ref"]).removeprefix(REFERENCE)]
    path = str(schema["properties"]["type"]["const"])
    return tag("a", path.removeprefix("/problems/"), href=path)


def _shown(name: str) -> bool:
    return not name.startswith("Problem") and not name.endswith("Problem")


def _type(name: str, schema: Object) -> Html:
    needed = set(schema.get("required", ()))
    rows = [
        (_named(field, field in needed), _described({"schema": member}))
        for field, member in schema.get("properties", {}).items()
    ]
    return tag(
        "article",
        tag("h3", name),
        prose(schema.get("description", "")),
        table(name, ("Member", "What"), rows),
        id=f"schema-{name}",
    )
