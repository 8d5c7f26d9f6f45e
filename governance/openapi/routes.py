"""The documents and pages as handlers: made when they are first asked for, then answered from memory.

A gateway that starts again after a crash has no time to describe itself first.

``/openapi/{tier}/{slug}/v{n}.json``, ``/openapi/scopes.json``, ``/.well-known/api-catalog``, ``/docs``, ``/problems/{type}``.
All of it is public: it says what may be asked, never what was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import msgspec
from litestar.handlers import ASGIRouteHandler

from governance.call.policy import Policy
from governance.contract.operation import TIERS, Api
from governance.contract.problems import Problem
from governance.openapi.catalog import CATALOG_PATH, CATALOG_TYPE, catalog, docs_path
from governance.openapi.docs_pages import api_page, index_page
from governance.openapi.document import document, encoded
from governance.openapi.export import document_path
from governance.openapi.problem_pages import (
    Answering,
    problem_facts,
    problem_index,
    problem_page,
    problem_path,
    problems_in_use,
)
from governance.openapi.publication import Form, Forms, Publication, html_form, redirect
from governance.openapi.scopes import SCOPES_FILE, encoded_scopes
from governance.pages import STYLESHEET, STYLESHEET_PATH

JSON = "application/json"
FOR_EVER = b"public, max-age=31536000, immutable"
REVALIDATED = b"public, max-age=60"


def routes(apis: Iterable[Api], policies: Iterable[Policy], *, public_url: str = "") -> list[ASGIRouteHandler]:
    """The handlers of everything that is published about these APIs under these policies."""
    published = publication(apis, policies, public_url=public_url)
    return [ASGIRouteHandler(list(published.paths), copy_scope=False)(published)]


def publication(apis: Iterable[Api], policies: Iterable[Policy], *, public_url: str = "") -> Publication:
    """Everything that is published, as one ASGI application without a framework."""
    apis = tuple(sorted(apis, key=lambda api: (TIERS.index(api.tier), api.name, api.version)))
    policies = tuple(policies)
    forms: dict[str, Forms | Callable[[], Forms]] = {
        "/": (redirect("/docs"),),
        "/docs": lambda: (html_form(index_page(apis)),),
        STYLESHEET_PATH: (Form(media_type="text/css; charset=utf-8", body=STYLESHEET, cache_control=FOR_EVER),),
        CATALOG_PATH: lambda: (_catalog(apis, public_url),),
    }
    for api in apis:
        described = cache(partial(document, api, policies))
        forms[f"/openapi/{document_path(api)}"] = partial(_document, described)
        forms[docs_path(api)] = partial(_page, api, described)
    forms[f"/openapi/{SCOPES_FILE}"] = lambda: (_json(encoded_scopes(apis)),)
    in_use = problems_in_use(apis, policies)
    forms["/problems"] = lambda: (html_form(problem_index(in_use)),)
    for problem, answering in in_use.items():
        forms[problem_path(problem)] = partial(_problem, problem, answering)
    return Publication(forms)


def _document(described: Callable[[], dict[str, Any]]) -> Forms:
    return (_json(encoded(described())),)


def _page(api: Api, described: Callable[[], dict[str, Any]]) -> Forms:
    return (html_form(api_page(api, described())),)


def _problem(problem: type[Problem], answering: tuple[Answering, ...]) -> Forms:
    facts = msgspec.json.encode(problem_facts(problem, answering))
    return html_form(problem_page(problem, answering)), Form(media_type=JSON, body=facts)


def _json(body: bytes) -> Form:
    return Form(media_type=JSON, body=body, cache_control=REVALIDATED)


def _catalog(apis: tuple[Api, ...], public_url: str) -> Form:
    link = f'<{public_url}{CATALOG_PATH}>; rel="api-catalog"'.encode()
    body = msgspec.json.encode(catalog(apis, public_url))
    return Form(media_type=CATALOG_TYPE, body=body, headers=((b"link", link),), cache_control=REVALIDATED)
